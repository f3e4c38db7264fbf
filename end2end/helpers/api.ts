import { type APIRequestContext, expect } from '@playwright/test';
import { BOARD, MARA, MINUTE, type Platform } from './platforms';
import type { Server } from './server';

/** An answer of a server function. */
export interface Answer {
  status: number;
  body: any; // Each function has its own shape; tests read single fields.
}

export interface AccountFacts {
  id: string;
  grant: string;
  name: string;
  platform: Platform;
  status: { status: string };
}

/** The server functions, called as a program with the session of the browser would. */
export class Api {
  constructor(
    private readonly request: APIRequestContext,
    private readonly server: Server,
  ) {}

  async get(path: string, query: Record<string, string> = {}): Promise<Answer> {
    const answer = await this.request.get(`${this.server.url}/api/v1/${path}`, { params: query });
    return { status: answer.status(), body: await json(answer) };
  }

  async post(path: string, body: unknown = {}): Promise<Answer> {
    const answer = await this.request.post(`${this.server.url}/api/v1/${path}`, { data: body });
    return { status: answer.status(), body: await json(answer) };
  }

  async accounts(): Promise<AccountFacts[]> {
    return (await this.get('accounts/list')).body.rows;
  }

  async account(name: string): Promise<AccountFacts> {
    const found = (await this.accounts()).find((row) => row.name === name);
    expect(found, `${name} is linked`).toBeDefined();
    return found as AccountFacts;
  }

  /** Links everything that Mara may post to, without a browser. */
  async link(platform: Platform): Promise<void> {
    const going = await this.post('link/start', { platform });
    expect(going.status, JSON.stringify(going.body)).toBe(200);
    const dialog = await (await this.request.get(going.body.url)).text();
    const form = new URLSearchParams({ person: MARA.slug, decision: 'continue' });
    for (const [tick] of dialog.matchAll(/<input type="checkbox"[^>]*>/g)) {
      const [, name] = /name="([^"]*)"/.exec(tick) ?? [];
      const [, value] = /value="([^"]*)"/.exec(tick) ?? [];
      if (!tick.includes('disabled')) form.append(name, value);
    }
    const back = await this.request.post(going.body.url, {
      data: form.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const consent = new URL(back.url()).pathname.split('/').pop() ?? '';
    const { body } = await this.get('link/result', { consent });
    // A login with a single account leaves nothing to choose.
    if (body.outcome?.outcome === 'all_back') return;
    const choices: { remote_id: string; may_post: boolean }[] = body.outcome?.choices ?? [];
    const remote_ids = choices.filter((choice) => choice.may_post).map((choice) => choice.remote_id);
    const linked = await this.post('link/choose', { consent, remote_ids });
    expect(linked.body.outcome?.outcome, `${platform} is linked: ${JSON.stringify(linked.body)}`).toBe('all_back');
  }

  /** Takes an image; returns its id. */
  async upload(buffer: Buffer): Promise<string> {
    const image = await this.image(buffer);
    expect(image.status, JSON.stringify(image.body)).toBe(201);
    return image.body.id;
  }

  async image(buffer: Buffer, mimeType = 'image/png'): Promise<Answer> {
    const answer = await this.request.post(`${this.server.url}/api/v1/media`, {
      multipart: { file: { name: 'image.png', mimeType, buffer } },
    });
    return { status: answer.status(), body: await json(answer) };
  }

  /** Schedules a post at a world moment (milliseconds, rounded up to a whole minute), or sends it now. Returns its id. */
  async schedule(text: string, accounts: string[], at: number | 'now', images: string[] = []): Promise<string> {
    const found = await Promise.all(accounts.map((name) => this.account(name)));
    const when = at === 'now' ? { then: 'now' } : { then: 'schedule', zone: 'UTC', ...utc(at) };
    const boards = found.filter((account) => account.platform === 'pinterest').map((account) => `${account.id}:${BOARD.id}`);
    const composed = await this.post('posts/compose', { text, accounts: found.map((account) => account.id), boards, images, ...when });
    expect(composed.status, JSON.stringify(composed.body)).toBe(200);
    return composed.body.post;
  }

  /** The states of a post's deliveries. */
  async deliveries(post: string): Promise<string[]> {
    const { body } = await this.get('posts/show', { post });
    return body.line.deliveries.map((line: { status: { status: string } }) => line.status.status);
  }

  /** Everything of the workspace that a refused call must leave as it is. */
  async everything(): Promise<unknown> {
    const lists = ['planned', 'did_not_go_out', 'published', 'drafts'].map((tab) => this.get('posts/list', { tab }));
    const [accounts, inbox, ...posts] = await Promise.all([this.accounts(), this.get('inbox/list', { all: 'true' }), ...lists]);
    return {
      accounts: accounts.map(({ id, grant, status }) => ({ id, grant, status })),
      threads: inbox.body.rows.map(({ id, stage, is_unread }: Answer['body']) => ({ id, stage, is_unread })),
      posts: posts.map(({ body }) => body.rows.map(({ id, status }: Answer['body']) => ({ id, status }))),
    };
  }
}

async function json(answer: { text(): Promise<string> }): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function utc(at: number): { date: string; time: string } {
  const whole = new Date(Math.ceil(at / (MINUTE * 1_000)) * MINUTE * 1_000).toISOString();
  return { date: whole.slice(0, 10), time: whole.slice(11, 16) };
}
