import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { NotionAuthModule, type NotionAuthOptions } from 'nestjs-notion-auth';
import { sessionUser, TenantController } from './tenant.controller.js';

@Module({})
class TenantModule {}

/**
 * An application with the built-in routes and {@link TenantController} in a process of its own: sent its options, it
 * answers with its port.
 */
process.once('message', (options: NotionAuthOptions) => {
  void listen(options).then((port) => process.send?.(port));
});
process.on('disconnect', () => process.exit(0));

async function listen(options: NotionAuthOptions): Promise<number> {
  const application = await NestFactory.create(
    {
      module: TenantModule,
      imports: [NotionAuthModule.forRoot({ ...options, resolveOwner: sessionUser })],
      controllers: [TenantController],
    },
    { logger: false },
  );
  await application.listen(0, '127.0.0.1');
  return ((application.getHttpServer() as Server).address() as AddressInfo).port;
}
