import { AxeBuilder } from '@axe-core/playwright';
import { type BrowserContext, type Locator, type Page, expect, test as base } from '@playwright/test';
import { Api } from './api';
import { MARA, MINUTE, type Platform, Platforms } from './platforms';
import { type Seed, Server } from './server';

export { expect };

/** What is sent to which accounts, and when. */
export interface Draft {
  text: string;
  /** Names of accounts. */
  accounts: string[];
  /** World time in milliseconds (rounded up to a whole minute), now, or never. */
  at: number | 'now' | 'draft';
  image?: Buffer;
  board?: string;
}

/** How somebody answers at a platform. */
export interface Consent {
  person?: { slug: string; name: string };
  /** Ids of Pages that are not ticked. */
  without?: string[];
  /** Scopes that are not ticked. */
  withoutScopes?: string[];
  cancel?: boolean;
}

/** The app in one tab, as a person uses it. */
export class App {
  readonly api: Api;

  constructor(
    readonly page: Page,
    readonly server: Server,
    readonly platforms: Platforms,
    /** Whether the tab runs scripts. */
    private readonly isScripted: boolean,
  ) {
    this.api = new Api(page.request, server);
  }

  /** The same session in another tab. */
  async tab(): Promise<App> {
    return new App(await this.page.context().newPage(), this.server, this.platforms, this.isScripted);
  }

  async signIn(): Promise<void> {
    const answer = await this.page.request.post(`${this.server.url}/api/v1/demo/sign-in`);
    expect(answer.status(), 'the demo owner is signed in').toBeLessThan(400);
  }

  /** Opens a page and waits until it reacts: clicks before hydration are lost. */
  async goto(path: string): Promise<void> {
    await this.page.goto(this.server.url + path);
    await this.reacts();
  }

  async reacts(): Promise<void> {
    if (this.isScripted) await expect(this.page.locator('html[data-hydrated]')).toBeAttached();
  }

  /** A fact that only a fresh page shows when there are no scripts. */
  async shows(path: string, fact: () => Promise<void>): Promise<void> {
    await expect(async () => {
      await this.goto(path);
      await fact();
    }).toPass({ timeout: 30_000 });
  }

  // Linked Accounts

  accounts(): Locator {
    return this.page.getByTestId('account-row');
  }

  account(name: string): Locator {
    return this.accounts().filter({ has: this.page.locator('.account__name').getByText(name, { exact: true }) });
  }

  /** Links everything that somebody may post to at a platform. */
  async link(platform: Platform, consent: Consent = {}): Promise<void> {
    await this.goto('/social/settings/accounts');
    await this.page.locator(`[data-testid=link-platform][data-platform=${platform}]`).click();
    await this.consent(consent);
    // A login with a single account leaves nothing to choose.
    if ((await this.result().getAttribute('data-outcome')) === 'choose') {
      for (const choice of await this.result().getByRole('checkbox').all()) {
        if (await choice.isEnabled()) await choice.check();
      }
      await this.page.getByTestId('link-chosen').click();
    }
    await expect(this.result()).toHaveAttribute('data-outcome', 'all_back');
  }

  result(): Locator {
    return this.page.getByTestId('result-page');
  }

  /** From the page that leads out, over the platform's dialog, to the result page. */
  async consent(consent: Consent = {}): Promise<void> {
    const { person = MARA, without = [], withoutScopes = [], cancel = false } = consent;
    await this.leaveForPlatform();
    const face = this.page.getByTestId(`person-${person.slug}`);
    if ((await face.getAttribute('aria-current')) !== 'true') await face.click();
    await expect(face).toHaveAttribute('aria-current', 'true');
    for (const tick of [...without.map((id) => `page-${id}`), ...withoutScopes.map((name) => `scope-${name}`)]) {
      await this.page.getByTestId(tick).uncheck();
    }
    await this.page.getByTestId(cancel ? 'cancel' : 'continue').click();
    await this.page.waitForURL((url) => url.origin === this.server.url);
    await this.reacts();
    await expect(this.result()).toBeVisible();
  }

  /** The page that leads out forwards by itself or by its link. */
  async leaveForPlatform(): Promise<void> {
    const out = this.page.getByTestId('continue-to-platform');
    const there = this.page.getByTestId('rehearsal-banner');
    await expect(out.or(there).first()).toBeVisible();
    if (!(await there.isVisible())) await out.click();
    await expect(there).toBeVisible();
    expect(new URL(this.page.url()).hostname, 'the platform is another origin').toBe('localhost');
  }

  /** Refresh Credentials in the row of an account on Linked Accounts, which is open. */
  async refresh(name: string, consent: Consent = {}): Promise<void> {
    await this.account(name).getByTestId('refresh-credentials').click();
    await this.consent(consent);
  }

  // Posts

  /** Writes a post. Returns the world moment at which it is due, when it is scheduled. */
  async compose(draft: Draft): Promise<number> {
    const ids = (await this.api.accounts()).filter(({ name }) => draft.accounts.includes(name)).map(({ id }) => id);
    expect(ids, 'the accounts are linked').toHaveLength(draft.accounts.length);
    await this.goto('/social/compose');
    const due = typeof draft.at === 'number' ? Math.ceil(draft.at / (MINUTE * 1_000)) * MINUTE * 1_000 : 0;
    const form = this.page.getByTestId('compose-form');
    for (const id of ids) await form.getByTestId(`compose-account-${id}`).check();
    await form.getByTestId('compose-text').fill(draft.text);
    if (draft.image) {
      await form.getByTestId('compose-image').setInputFiles({ name: 'wreath.png', mimeType: 'image/png', buffer: draft.image });
      await expect(form.getByTestId('compose-tile')).toBeVisible();
    }
    if (draft.board) await form.getByTestId(/^compose-board-/).selectOption({ label: draft.board });
    if (typeof draft.at === 'number') {
      const { date, time } = wall(due, await form.getByTestId('compose-zone').inputValue());
      await form.getByTestId('compose-date').fill(date);
      await form.getByTestId('compose-time').fill(time);
    }
    await form.getByTestId(draft.at === 'now' ? 'publish-now' : draft.at === 'draft' ? 'save-draft' : 'schedule').click();
    if (draft.at === 'now' && ids.length > 1) await this.page.getByTestId('publish-now-yes').click();
    await expect(this.page.getByTestId('post')).toBeVisible();
    return due;
  }

  post(text: string): Locator {
    return this.page.getByTestId('post-row').filter({ hasText: text });
  }

  /** Opens the post with this text from a tab of Posts. */
  async openPost(text: string, tab: 'planned' | 'did_not_go_out' | 'published' | 'drafts'): Promise<void> {
    await this.goto(`/social/posts?tab=${tab}`);
    await this.post(text).getByRole('link').first().click();
    await expect(this.page.getByTestId('delivery').first()).toBeVisible();
  }

  delivery(account?: string): Locator {
    const all = this.page.getByTestId('delivery');
    return account ? all.and(this.page.locator(`[data-account="${account}"]`)) : all;
  }

  // Inbox

  threads(): Locator {
    return this.page.getByTestId('thread-row');
  }

  /** The number on a badge; 0 when there is none. */
  async badge(name: 'accounts' | 'inbox'): Promise<number> {
    // The rail's on desktops, the bar's on phones.
    const badge = this.page.getByTestId(new RegExp(`^(nav|bar)-${name}-badge$`)).filter({ visible: true });
    if ((await badge.count()) === 0) return 0;
    return Number((await badge.first().innerText()).match(/\d+/)?.[0] ?? 0);
  }

  /** Waits until a badge shows a number. */
  async badgeShows(name: 'accounts' | 'inbox', count: number, timeout?: number): Promise<void> {
    await expect.poll(() => this.badge(name), { message: `the ${name} badge shows ${count}`, timeout }).toBe(count);
  }

  /** What axe finds on the page as it is now. */
  async isAccessible(screen: string): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page }).analyze();
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join('\n  ')}`);
    expect.soft(found, `axe finds nothing on ${screen}`).toEqual([]);
  }

  /** Nothing sticks out to the right: a phone never scrolls sideways. */
  async fits(screen: string): Promise<void> {
    const over = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect.soft(over, `${screen} does not scroll sideways`).toBeLessThanOrEqual(0);
  }
}

/** Date and time of day, as the form wants them, of a moment in a zone. */
export function wall(moment: number, zone: string): { date: string; time: string } {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(moment);
  const [date, time] = text.split(' ');
  return { date, time };
}

/** What no page of ours may say to the browser's console. */
function listen(context: BrowserContext): string[] {
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(`exception: ${error.error().message}`));
  context.on('console', (message) => {
    const text = message.text();
    const isAboutStatus = text.startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAboutStatus) complaints.push(`console: ${text}`);
    else if (/Content.Security.Policy|hydration/i.test(text)) complaints.push(`console: ${text}`);
  });
  return complaints;
}

interface Options {
  seed: Seed;
  /** Whether the server logs at trace. */
  isTraced: boolean;
}

interface Fixtures extends Options {
  server: Server;
  platforms: Platforms;
  /** The app, signed in as the demo owner. */
  app: App;
  /** Exceptions, refusals by the page policy, errors on the console. A test fails on any of them. */
  complaints: string[];
}

export const test = base.extend<Fixtures>({
  seed: ['empty', { option: true }],
  isTraced: [false, { option: true }],
  server: async ({ seed, isTraced }, use, testInfo) => {
    const server = await Server.start({ seed, isTraced });
    await use(server);
    if (testInfo.status !== testInfo.expectedStatus) {
      await testInfo.attach('server.log', { path: server.logFile });
    }
    expect.soft(server.log, 'nothing panicked').not.toMatch(/panicked at/);
    await server.remove();
  },
  platforms: async ({ server }, use) => use(new Platforms(server)),
  complaints: [
    async ({ context }, use) => {
      const complaints = listen(context);
      await use(complaints);
      expect.soft(complaints, 'the browser has nothing to complain about').toEqual([]);
    },
    { auto: true },
  ],
  app: async ({ page, server, platforms, javaScriptEnabled }, use) => {
    const app = new App(page, server, platforms, javaScriptEnabled !== false);
    await app.signIn();
    await use(app);
  },
});
