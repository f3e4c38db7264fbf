import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a new demo starts with. */
export type Seed = 'empty' | 'sample';

const ROOT = resolve(__dirname, '../..');
const BINARY = process.env.STAYPOSTED_BIN ?? join(ROOT, 'target/debug/stayposted');

/** Where the server finds its pages' files; `cargo xtask` sets these, the rest is its layout. */
const ENVIRONMENT = {
  LEPTOS_OUTPUT_NAME: 'stayposted',
  LEPTOS_SITE_ROOT: join(ROOT, 'target/site'),
  LEPTOS_SITE_PKG_DIR: 'pkg',
  LEPTOS_HASH_FILES: 'true',
  ...process.env,
  RUST_BACKTRACE: '1',
  NO_COLOR: '1',
};

/** One `stayposted demo` of our own: app and rehearsal platforms in one process, on a free port and a fresh folder. */
export class Server {
  private child?: ChildProcess;

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly options: { seed: Seed; isTraced?: boolean },
  ) {}

  /** The folder that keeps its state. */
  get data(): string {
    return join(this.folder, 'data');
  }

  /** The app's origin. The platforms' pages for browsers stand at the same port of `localhost`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Everything it has written so far. */
  get log(): string {
    return readFileSync(this.logFile, 'utf8');
  }

  get logFile(): string {
    return join(this.folder, 'server.log');
  }

  static async start(options: { seed: Seed; isTraced?: boolean }): Promise<Server> {
    const server = new Server(await freePort(), mkdtempSync(join(tmpdir(), 'stayposted-e2e-')), options);
    await server.begin();
    return server;
  }

  /** Starts it, with what it had when it ended. */
  async begin(): Promise<void> {
    const log = openSync(this.logFile, 'a');
    const level = this.options.isTraced ? 'trace' : 'info';
    this.child = spawn(
      BINARY,
      ['demo', '--addr', `127.0.0.1:${this.port}`, '--data', this.data, '--seed', this.options.seed],
      { cwd: ROOT, env: { ...ENVIRONMENT, STAYPOSTED_LOG: level }, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    await this.ready();
  }

  /** Ends it as Ctrl-C does. */
  async end(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGINT');
    const impatient = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(impatient);
  }

  /** Runs another command of the program on the same data; the server must have ended. */
  command(args: string[], input: string): void {
    execFileSync(BINARY, [...args, '--data', this.data], { env: ENVIRONMENT, input, stdio: ['pipe', 'ignore', 'pipe'] });
  }

  /** Ends it, and removes its folder. */
  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<void> {
    const until = Date.now() + 60_000;
    for (;;) {
      if (this.child?.exitCode !== null) {
        throw new Error(`the server ended with ${this.child?.exitCode}:\n${this.log}`);
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
