import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Closing, Implementation, Peer } from './peer';
import { same } from './peer';

const fixture = (name: string): string => join(__dirname, '../../fixtures', name);

/** The first Python that has the package: what `PYTHON` says, the one on the path, the system's. */
export function findPython(): string | undefined {
  const { PYTHON } = process.env;
  const candidates = PYTHON ? [PYTHON] : ['python3', '/usr/bin/python3'];
  return candidates.find((python) => {
    const { status } = spawnSync(python, ['-c', 'import websockets'], { stdio: 'ignore' });
    return status === 0;
  });
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A Python that makes connections as it is told to. */
export class Python {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting = new Map<number, Waiting>();
  private calls = 0;
  private errors = '';

  constructor(python: string) {
    this.child = spawn(python, ['-u', join(__dirname, 'python_peer.py')]);
    this.child.stderr.setEncoding('utf8').on('data', (text) => {
      this.errors += text;
    });
    createInterface(this.child.stdout).on('line', (line) => this.settle(JSON.parse(line)));
    this.child.on('close', () => {
      for (const { reject } of this.waiting.values()) reject(new Error(`It ended: ${this.errors}`));
    });
  }

  /** Calls one of the program's functions. The caller says what its result is. */
  call<Result>(name: string, values: Record<string, unknown>): Promise<Result> {
    const id = this.calls++;
    return new Promise<Result>((resolve, reject) => {
      this.waiting.set(id, { resolve: (result) => resolve(result as Result), reject });
      this.child.stdin.write(`${JSON.stringify({ id, call: name, ...values })}\n`);
    });
  }

  /** Ends the program, with every connection it has. */
  async end(): Promise<void> {
    const closed = once(this.child, 'close');
    this.child.kill();
    await closed;
  }

  private settle({ id, result, error }: Answer): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error));
  }
}

interface Introduction {
  readonly peer: number;
  readonly protocol: string;
}

function peerOf(python: Python, { peer, protocol }: Introduction): Peer {
  return {
    protocol,
    sendParts: (parts) => python.call('send_parts', { peer, parts }),
    ping: (payload) => python.call('ping', { peer, payload }),
    close: (code, reason) => python.call('close', { peer, code, reason: reason ?? '' }),
    closed: python.call<Closing>('closed', { peer }),
  };
}

/** The `websockets` of Python; `python` is asked for at each use, so that it may be started later. */
export function pythonWebsockets(python: () => Python): Implementation {
  return {
    name: "Python's websockets",
    async connect(url, { deflate, protocols }) {
      const ca = fixture('authority.cert.pem');
      const made = await python().call<Introduction>('connect', { url, deflate, protocols, ca });
      return peerOf(python(), made);
    },
    async listen({ deflate, protocols, secure }) {
      const certificate = secure ? [fixture('server.cert.pem'), fixture('server.key.pem')] : null;
      const { server, port } = await python().call<{ server: number; port: number }>('listen', {
        deflate,
        protocols,
        certificate,
      });
      const peer = python()
        .call<Introduction>('accept', { server })
        .then((made) => peerOf(python(), made));
      return { port, peer };
    },
    deflate: 'yes',
    sendsParts: true,
    pings: true,
    closes: [1000, 1001, 1011, 3000, 4999],
    told: same,
    answer: same,
    heard: same,
  };
}
