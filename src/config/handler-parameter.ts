import { createParamDecorator, type ExecutionContext } from '@nestjs/common';

type ParamDecoratorFactory = ReturnType<typeof createParamDecorator<unknown>>;

/**
 * As `createParamDecorator`, for a value that this module makes: pipes see no class of the parameter. A global
 * `ValidationPipe` with `validateCustomDecorators` would otherwise replace the value by a copy, or reject it as unknown.
 */
export function createHandlerParameter(
  factory: (data: unknown, context: ExecutionContext) => unknown,
): ParamDecoratorFactory {
  const decorate = createParamDecorator(factory);
  return (...given) => {
    const decorator = decorate(...given);
    return (target, method, index) => {
      decorator(target, method, index);
      if (method !== undefined) hideClass(target, method, index);
    };
  };
}

/** What TypeScript's `emitDecoratorMetadata` wrote; it writes before the decorators of parameters are applied. */
function hideClass(target: object, method: string | symbol, index: number): void {
  const types: unknown = Reflect.getMetadata('design:paramtypes', target, method);
  if (!Array.isArray(types)) return;
  const hidden = types.map((type: unknown, position) => (position === index ? Object : type));
  Reflect.defineMetadata('design:paramtypes', hidden, target, method);
}
