import { Injectable, RequestMethod, type Type } from '@nestjs/common';
import {
  GUARDS_METADATA,
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { NOTION_CALLBACK_ROUTE } from './callback-route.js';
import { mountedPaths, type RouteParts } from './mounted-route.js';

type Handler = (...parameters: never[]) => unknown;

/** Finds where the application has mounted its callback routes, once all of its modules are known. */
@Injectable()
export class CallbackRouteExplorer {
  private readonly scanner = new MetadataScanner();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly application: ApplicationConfig,
  ) {}

  mountedPaths(): string[] {
    const settings = {
      globalPrefix: this.application.getGlobalPrefix(),
      exclusions: this.application.getGlobalPrefixOptions().exclude ?? [],
      versioning: this.application.getVersioning(),
    };
    return this.controllers().flatMap(({ controller, modulePath }) =>
      this.callbackHandlers(controller).flatMap((handler) =>
        mountedPaths(this.partsOf(modulePath, controller, handler), settings),
      ),
    );
  }

  private controllers(): { controller: Type; modulePath: string }[] {
    return [...this.modules.values()].flatMap(({ metatype, controllers }) =>
      [...controllers.values()].map((wrapper) => ({
        controller: wrapper.metatype as Type,
        modulePath: this.modulePathOf(metatype),
      })),
    );
  }

  private callbackHandlers(controller: Type): Handler[] {
    const prototype = controller.prototype as Record<string, Handler>;
    return this.scanner
      .getAllMethodNames(prototype)
      .map((name) => prototype[name]!)
      .filter((handler) => answersGet(handler) && takesCallbacks(controller, handler));
  }

  private partsOf(modulePath: string, controller: Type, handler: Handler): RouteParts {
    const version =
      metadata(VERSION_METADATA, handler) ??
      metadata(VERSION_METADATA, controller) ??
      this.application.getVersioning()?.defaultVersion;
    return {
      modulePath,
      controllerPaths: listed(metadata(PATH_METADATA, controller)) as string[],
      handlerPaths: listed(metadata(PATH_METADATA, handler)) as string[],
      requestMethod: metadata(METHOD_METADATA, handler) as RequestMethod,
      versions: listed(version) as RouteParts['versions'],
    };
  }

  /** Where `RouterModule` puts a module; kept per application, so that two in one process do not mix. */
  private modulePathOf(module: Type): string {
    const path = metadata(MODULE_PATH + this.modules.applicationId, module) ?? metadata(MODULE_PATH, module);
    return typeof path === 'string' ? path : '';
  }
}

function answersGet(handler: Handler): boolean {
  const method = metadata(METHOD_METADATA, handler);
  return method === RequestMethod.GET || method === RequestMethod.ALL;
}

function takesCallbacks(controller: Type, handler: Handler): boolean {
  const guards = [controller, handler].flatMap(
    (target) => listed(metadata(GUARDS_METADATA, target)) as object[],
  );
  return [handler, ...guards.map(classOf)].some((target) =>
    Reflect.hasMetadata(NOTION_CALLBACK_ROUTE, target),
  );
}

/** `@UseGuards` takes classes and instances. */
function classOf(guard: object): object {
  return typeof guard === 'function' ? guard : guard.constructor;
}

function metadata(key: string, target: object): unknown {
  return Reflect.getMetadata(key, target);
}

/** Nest keeps one value bare and several in an array. */
function listed(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
