import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a new demo starts with. */
export type Seed = 'empty' | 'sample';

const ROOT = resolve(__dirname, '../..');
const BINARY = process.env.STAYPOSTED_BIN ?? join(ROOT, 'target/debug/stayposted');

/** Where the server finds its pages' files; `cargo xtask` sets these, the rest is its layout. */
const LEPTOS = {
  LEPTOS_OUTPUT_NAME: 'stayposted',
  LEPTOS_SITE_ROOT: join(ROOT, 'target/site'),
  LEPTOS_SITE_PKG_DIR: 'pkg',
  LEPTOS_HASH_FILES: 'true',
};

/** One `stayposted demo` of our own: app and rehearsal platforms in one process, on a free port and a fresh folder. */
export class Server {
  private constructor(
    readonly port: number,
    readonly data: string,
    private readonly child: ChildProcess,
  ) {}

  /** The app's origin. The platforms' pages for browsers stand at the same port of `localhost`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything it has written so far. */
  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  get logFile(): string {
    return join(this.data, '..', 'server.log');
  }

  /** A command that the same executable runs beside the server. */
  static readonly binary = BINARY;

  static async start(options: { seed: Seed; isTraced?: boolean }): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'stayposted-e2e-'));
    const data = join(folder, 'data');
    const port = await freePort();
    const log = openSync(join(folder, 'server.log'), 'w');
    const level = options.isTraced ? 'trace' : 'info';
    const child = spawn(
      BINARY,
      ['demo', '--addr', `127.0.0.1:${port}`, '--data', data, '--fresh', '--seed', options.seed],
      {
        cwd: ROOT,
        env: { ...LEPTOS, ...process.env, STAYPOSTED_LOG: level, RUST_LOG: level, RUST_BACKTRACE: '1', NO_COLOR: '1' },
        stdio: ['ignore', log, log],
      },
    );
    closeSync(log);
    const server = new Server(port, data, child);
    await server.ready();
    return server;
  }

  /** Ends it as Ctrl-C does, and removes its folder. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((done) => this.child.once('exit', done));
      this.child.kill('SIGINT');
      const impatient = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(impatient);
    }
    rmSync(join(this.data, '..'), { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const until = Date.now() + 60_000;
    for (;;) {
      if (this.child.exitCode !== null) {
        throw new Error(`the server ended with ${this.child.exitCode}:\n${this.log}`);
      }
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      if (Date.now() > until) throw new Error(`the server is not ready after a minute:\n${this.log}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

async function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
