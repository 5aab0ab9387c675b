import type { Socket } from 'node:net';

/** Open sockets, which hold the process while a request uses them, until the application is closed. */
export class OpenSockets {
  // Private at run time too: printing an object that holds this shows no headers and no body of a request in flight.
  readonly #sockets = new Set<Socket>();

  add(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Requests in flight go on while the process lives, and no longer hold it. */
  unref(): void {
    for (const socket of this.#sockets) socket.unref();
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
