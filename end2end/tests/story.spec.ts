import { expect, test } from '../helpers/app';
import { filesBelow, leaks } from '../helpers/canary';
import { png } from '../helpers/image';
import { BLUMEN, BOARD, DAY, HOUR, MARA, MINUTE, STATE_FILE, WEDDINGS } from '../helpers/platforms';

const FIRST = 'Autumn wreaths are in';
const SECOND = 'Advent calendar, door one';
const PINTEREST = MARA.name;

test.describe('from the first link to the post that was missed', () => {
  test.use({ isTraced: true });
  test.setTimeout(240_000);

  test('a lost login is told once, repaired by one sign-in, and its missed post goes out once', async ({ app, platforms, server }) => {
    const answers: { url: string; body: Promise<Buffer> }[] = [];
    app.page.context().on('response', (answer) => {
      const url = new URL(answer.url());
      if (url.origin !== server.url || url.pathname.startsWith('/sim/') || url.pathname === '/events') return;
      answers.push({ url: answer.url(), body: answer.body().catch(() => Buffer.alloc(0)) });
    });

    await test.step('both platforms are linked', async () => {
      await app.goto('/social/settings/accounts');
      await expect(app.page.getByText('No account is linked yet.')).toBeVisible();
      await app.isAccessible('Linked Accounts without accounts');
      await app.link('facebook');
      await app.isAccessible('the result of a link');
      await app.link('pinterest');
      await app.goto('/social/settings/accounts');
      await expect(app.accounts()).toHaveCount(3);
      for (const name of [BLUMEN.name, WEDDINGS.name, PINTEREST]) {
        await expect(app.account(name)).toHaveAttribute('data-status', 'connected');
      }
      await app.fits('Linked Accounts');
    });
    const linked = await platforms.now();
    const end = linked + 60 * DAY * 1_000;

    await test.step('a post is scheduled and published exactly once on each account', async () => {
      const accounts = [BLUMEN.name, WEDDINGS.name, PINTEREST];
      const due = await app.compose({ text: FIRST, accounts, at: linked + HOUR * 1_000, image: png(120, 90), board: BOARD.name });
      await platforms.advanceTo(due + 5 * MINUTE * 1_000);
      await expect.poll(() => platforms.online('facebook', FIRST)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
      await expect.poll(() => platforms.online('pinterest', FIRST)).toEqual({ [BOARD.id]: 1 });
      await app.openPost(FIRST, 'published');
      await expect(app.delivery()).toHaveCount(3);
      for (const delivery of await app.delivery().all()) {
        await expect(delivery).toHaveAttribute('data-status', 'published');
      }
      await app.isAccessible('a published post');
      await app.fits('a published post');
    });

    await test.step('a post is planned past the end of the login', async () => {
      await app.compose({ text: SECOND, accounts: [BLUMEN.name, WEDDINGS.name], at: end + 2 * HOUR * 1_000 });
    });

    await test.step('the day before the end, one thread says that it ends soon', async () => {
      await platforms.advanceTo(end - DAY * 1_000);
      await app.goto('/inbox');
      await expect(app.threads()).toHaveCount(1);
      await expect(app.threads()).toHaveAttribute('data-stage', 'ends_soon');
      await app.goto('/social/settings/accounts');
      for (const name of [BLUMEN.name, WEDDINGS.name]) {
        await expect(app.account(name)).toHaveAttribute('data-status', 'ends_soon');
      }
      await expect(app.page.getByTestId('disconnected-mark')).toHaveCount(0);
      expect(await app.badge('accounts'), 'nothing is disconnected yet').toBe(0);
    });

    await test.step('past the end, without a reload: `!` and Refresh Credentials on both its pages and nowhere else', async () => {
      await app.page.evaluate(() => Object.assign(window, { isSamePage: true }));
      await platforms.advanceTo(end + HOUR * 1_000);
      for (const name of [BLUMEN.name, WEDDINGS.name]) {
        const row = app.account(name);
        await expect(row).toHaveAttribute('data-status', 'disconnected');
        await expect(row.getByTestId('disconnected-mark')).toBeVisible();
        await expect(row.getByTestId('refresh-credentials')).toBeVisible();
        await expect(row).toContainText('Login expired');
      }
      await expect(app.account(PINTEREST)).toHaveAttribute('data-status', 'connected');
      await expect(app.account(PINTEREST).getByTestId('disconnected-mark')).toHaveCount(0);
      await expect(app.account(PINTEREST).getByTestId('refresh-credentials')).toHaveCount(0);
      await app.badgeShows('accounts', 2);
      expect(await app.page.evaluate(() => 'isSamePage' in window), 'nobody has reloaded the page').toBe(true);
      await app.isAccessible('Linked Accounts with a lost login');
      await app.fits('Linked Accounts with a lost login');
    });

    await test.step('exactly one thread tells of this login', async () => {
      await app.goto('/inbox?all=1');
      await expect(app.threads()).toHaveCount(1);
      await expect(app.threads()).toHaveAttribute('data-stage', 'lost');
      await expect(app.threads()).toHaveAttribute('data-root', /^login/);
      await app.isAccessible('the inbox');
      await app.fits('the inbox');
    });

    await test.step('Pinterest was renewed unattended', async () => {
      const tokens = (await platforms.calls('pinterest')).filter((call) => call.op === 'token');
      expect(tokens.length, 'the first exchange and at least two renewals').toBeGreaterThanOrEqual(3);
      expect(tokens.every((call) => call.status === 200)).toBe(true);
    });

    await test.step('the post that comes due now is Missed, with the reason', async () => {
      await platforms.advanceTo(end + 6 * HOUR * 1_000);
      await app.openPost(SECOND, 'did_not_go_out');
      for (const delivery of await app.delivery().all()) {
        await expect(delivery).toHaveAttribute('data-status', 'missed');
        await expect(delivery).toContainText('Missed: account was disconnected');
      }
      expect(await platforms.online('facebook', SECOND), 'and it is nowhere').toEqual({});
      await app.goto('/inbox');
      await expect(app.threads(), 'it goes on in the same thread').toHaveCount(1);
      await expect(app.threads()).toHaveAttribute('data-stage', 'missed');
      await app.isAccessible('the post that was missed');
    });

    await test.step('Refresh Credentials brings both pages back by one sign-in', async () => {
      await app.goto('/social/settings/accounts');
      await app.refresh(BLUMEN.name);
      await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
      await app.isAccessible('the result of a refresh');
      await app.fits('the result of a refresh');
      await app.goto('/social/settings/accounts');
      for (const name of [BLUMEN.name, WEDDINGS.name]) {
        await expect(app.account(name)).toHaveAttribute('data-status', 'connected');
      }
      await expect(app.page.getByTestId('disconnected-mark')).toHaveCount(0);
      await app.badgeShows('accounts', 0);
      await app.goto('/inbox?all=1');
      await expect(app.threads()).toHaveCount(1);
      await expect(app.threads()).toHaveAttribute('data-resolved', 'true');
      await app.threads().getByRole('link').first().click();
      await expect(app.page.getByTestId('thread-entry').first(), 'its last line').toHaveAttribute('data-stage', 'back');
      await app.isAccessible('the thread');
      await app.fits('the thread');
    });

    await test.step('it is rescheduled from Missed posts and published exactly once', async () => {
      expect(await platforms.online('facebook', SECOND), 'nothing went out by itself').toEqual({});
      await app.goto('/social/missed');
      await expect(app.page.getByTestId('missed-row')).toHaveCount(1);
      await app.isAccessible('Missed posts');
      await app.fits('Missed posts');
      await app.page.getByTestId('missed-row').getByRole('checkbox').check();
      await app.page.getByTestId('apply-missed').click();
      await expect(app.page.getByTestId('undo-missed')).toBeVisible();
      await platforms.advance(2 * DAY);
      await expect.poll(() => platforms.online('facebook', SECOND)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
      await platforms.advance(14 * DAY);
      expect(await platforms.online('facebook', SECOND)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
      expect(await platforms.online('facebook', FIRST)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
      expect(await platforms.online('pinterest', FIRST)).toEqual({ [BOARD.id]: 1 });
    });

    await test.step('no token stands in the database, the log at trace, or any answer', async () => {
      const issued = await platforms.issued();
      expect(issued.length, 'tokens to look for').toBeGreaterThan(8);
      const found: string[] = [];
      for (const { name, bytes } of filesBelow(server.data, (name) => name.startsWith(STATE_FILE))) {
        found.push(...leaks(issued, bytes).map((leak) => `${name}: ${leak}`));
      }
      found.push(...leaks(issued, Buffer.from(server.log)).map((leak) => `server.log: ${leak}`));
      expect(answers.length, 'answers to look into').toBeGreaterThan(20);
      for (const { url, body } of answers) {
        found.push(...leaks(issued, await body).map((leak) => `${url}: ${leak}`));
      }
      expect(found).toEqual([]);
    });
  });
});
