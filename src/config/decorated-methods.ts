import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';

export type Method = (this: unknown, ...parameters: never[]) => unknown;

/** A method of a provider or controller that carries the metadata of a decorator. */
export interface DecoratedMethod {
  readonly wrapper: InstanceWrapper;
  readonly method: Method;
  /** `Class.method` */
  readonly name: string;
  readonly metadata: unknown;
}

const scanner = new MetadataScanner();

/** All of an application's, once its modules are known. An alias is passed over: what it names is a provider too. */
export function findDecoratedMethods(modules: ModulesContainer, key: symbol): readonly DecoratedMethod[] {
  const seen = new Set<unknown>();
  return [...modules.values()]
    .flatMap(({ providers, controllers }) => [...providers.values(), ...controllers.values()])
    .filter((wrapper) => !wrapper.isAlias)
    .filter((wrapper) => !isMadeOnce(wrapper) || (!seen.has(wrapper.instance) && seen.add(wrapper.instance)))
    .flatMap((wrapper) => methodsOf(wrapper, key));
}

/** Whether there is one instance for the life of the application: neither it nor what it injects has another scope. */
export function isMadeOnce(wrapper: InstanceWrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

function methodsOf(wrapper: InstanceWrapper, key: symbol): DecoratedMethod[] {
  const prototype = prototypeOf(wrapper);
  if (prototype === null) return [];
  return scanner.getAllMethodNames(prototype).flatMap((methodName) => {
    const method = prototype[methodName];
    const metadata: unknown = method === undefined ? undefined : Reflect.getMetadata(key, method);
    if (method === undefined || metadata === undefined) return [];
    return [{ wrapper, method, name: `${prototype.constructor.name}.${methodName}`, metadata }];
  });
}

/** Of the instance; where none is made before it is asked for, of the class that it is asked for by. */
function prototypeOf({ instance, token }: InstanceWrapper): Record<string, Method> | null {
  const made: unknown = instance;
  const prototype: unknown =
    typeof made === 'object' && made !== null
      ? Object.getPrototypeOf(made)
      : typeof token === 'function' && token.prototype;
  const isClass = typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype;
  return isClass ? (prototype as Record<string, Method>) : null;
}
