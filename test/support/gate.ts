/** A TCP relay that can be made to stall: the network between two parts that nobody closes and nothing passes. */
import net from 'node:net';
import type { AddressInfo } from 'node:net';

export interface Gate {
  readonly port: number;
  hold(): void;
  release(): void;
  close(): void;
}

export async function openGate(target: { readonly host: string; readonly port: number }): Promise<Gate> {
  const sockets = new Set<net.Socket>();
  let isHeld = false;
  const join = (from: net.Socket, to: net.Socket): void => {
    sockets.add(from);
    from.on('data', (chunk: Buffer) => void to.write(chunk));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    if (isHeld) from.pause();
  };
  const server = net.createServer((near) => {
    const far = net.connect(target.port, target.host);
    join(near, far);
    join(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    hold() {
      isHeld = true;
      for (const socket of sockets) socket.pause();
    },
    release() {
      isHeld = false;
      for (const socket of sockets) socket.resume();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
