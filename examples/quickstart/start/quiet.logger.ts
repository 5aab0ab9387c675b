import { ConsoleLogger, Injectable } from '@nestjs/common';

const FRAMEWORK = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Leaves out what the framework says about itself, so that what the library says can be seen. */
@Injectable()
export class QuietLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!FRAMEWORK.has(contextOf(rest))) super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    // A failed start is reported by main, once.
    if (contextOf(rest) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}

function contextOf(rest: readonly unknown[]): string {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : '';
}
