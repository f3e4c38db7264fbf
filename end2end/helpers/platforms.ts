import { expect } from '@playwright/test';
import type { Server } from './server';

export type Platform = 'facebook' | 'pinterest';

/** A public post, as a platform shows it. */
export interface Shown {
  id: string;
  account: string;
  place: string;
  text: string;
  title: string;
  media: string[];
}

/** A call that reached a platform. `status` is null where the connection was cut. */
export interface Call {
  method: string;
  path: string;
  status: number | null;
  op: string;
  faults: string[];
}

/** Something that goes wrong (crates/simulator/README.md). */
export interface Fault {
  kind: string;
  op?: 'token' | 'profile' | 'prepare' | 'commit' | 'read';
  account?: string;
  after?: number;
  times?: number;
  seconds?: number;
}

/** The platforms' own state, inside the data folder: it holds the apps' secrets in clear. */
export const STATE_FILE = 'platforms.json';

/** People and places of a fresh rehearsal world. */
export const MARA = { slug: 'mara-jung', name: 'Mara Jung' };
export const TOM = { slug: 'tom-berger', name: 'Tom Berger' };
export const BLUMEN = { id: '615548210093371001', name: 'Blumen Jung' };
export const WEDDINGS = { id: '615548210093371002', name: 'Blumen Jung Weddings' };
export const BOARD = { id: '549755885175001', name: 'Spring bouquets' };

export const MINUTE = 60;
export const HOUR = 3_600;
export const DAY = 86_400;

/** The rehearsal platforms from outside: what they show, what they were asked, what they do wrong, what time it is. */
export class Platforms {
  constructor(private readonly server: Server) {}

  feed(platform: Platform): Promise<Shown[]> {
    return this.get(`/sim/${platform}/feed.json`);
  }

  /** How often a text is online at a platform, by place: `{ "6155…1001": 1 }`. */
  async online(platform: Platform, text: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const post of await this.feed(platform)) {
      if (post.text.includes(text)) counts[post.place] = (counts[post.place] ?? 0) + 1;
    }
    return counts;
  }

  calls(platform: Platform): Promise<Call[]> {
    return this.get(`/sim/${platform}/calls.json`);
  }

  async fault(platform: Platform, fault: Fault): Promise<void> {
    await this.post(`/sim/${platform}/faults`, fault);
  }

  /** World time, in milliseconds. */
  async now(): Promise<number> {
    const { now } = await this.get<{ now: number | string }>('/sim/clock');
    return millis(now);
  }

  /** Lets world time pass, and waits until everything that was due meanwhile is done. */
  async advance(seconds: number): Promise<void> {
    const { target } = await this.post<{ target: number | string }>('/sim/clock/advance', { seconds: Math.ceil(seconds) });
    await expect
      .poll(async () => (await this.now()) >= millis(target) - 1, {
        message: `world time arrives ${seconds} s ahead`,
        timeout: 90_000,
      })
      .toBe(true);
  }

  /** Lets world time pass until `moment` (milliseconds). */
  async advanceTo(moment: number): Promise<void> {
    await this.advance((moment - (await this.now())) / 1_000);
  }

  /** Every token, code and app secret that the platforms have issued since the server began. */
  async issued(): Promise<string[]> {
    const all = await Promise.all(['facebook', 'pinterest'].map((name) => this.get<string[]>(`/sim/${name}/issued.json`)));
    return [...new Set(all.flat())];
  }

  private async get<T>(path: string): Promise<T> {
    const answer = await fetch(this.server.url + path);
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  private async post<T>(path: string, body: unknown): Promise<T> {
    const answer = await fetch(this.server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}

/** World moments are microseconds, or ISO text. */
function millis(moment: number | string): number {
  return typeof moment === 'number' ? moment / 1_000 : Date.parse(moment);
}
