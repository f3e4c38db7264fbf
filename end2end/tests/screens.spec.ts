import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type App, expect, test } from '../helpers/app';

const FOLDER = join(__dirname, '../test-results/screens');

/** Every screen that opens by its address; the rest opens from one of these. */
const SCREENS: [name: string, path: string][] = [
  ['overview', '/'],
  ['accounts', '/social/settings/accounts'],
  ['inbox', '/inbox'],
  ['inbox-all', '/inbox?all=1'],
  ['calendar', '/social/calendar'],
  ['posts', '/social/posts'],
  ['posts-did-not-go-out', '/social/posts?tab=did_not_go_out'],
  ['posts-published', '/social/posts?tab=published'],
  ['posts-drafts', '/social/posts?tab=drafts'],
  ['compose', '/social/compose'],
  ['missed', '/social/missed'],
  ['not-found', '/social/nowhere'],
];

test.use({ seed: 'sample' });
test.setTimeout(300_000);

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' } });

    test(`every screen of the sample is accessible and fits, in ${colorScheme}`, async ({ app }, testInfo) => {
      mkdirSync(FOLDER, { recursive: true });
      const look = async (name: string): Promise<void> => {
        await app.page.screenshot({ path: join(FOLDER, `${name}-${testInfo.project.name}-${colorScheme}.png`), fullPage: true });
        await app.isAccessible(name);
        await app.fits(name);
      };
      for (const [name, path] of SCREENS) {
        await app.goto(path);
        await settled(app);
        await look(name);
      }
      for (const [name, path, row] of [
        ['account', '/social/settings/accounts', 'account-row'],
        ['thread', '/inbox', 'thread-row'],
        ['post', '/social/posts', 'post-row'],
        ['post-did-not-go-out', '/social/posts?tab=did_not_go_out', 'post-row'],
        ['post-published', '/social/posts?tab=published', 'post-row'],
      ]) {
        await app.goto(path);
        const link = app.page.getByTestId(row).first().getByRole('link').first();
        const address = await link.getAttribute('href');
        await app.goto(address ?? '/');
        await settled(app);
        await look(name);
      }
      await app.page.context().clearCookies();
      await app.goto('/sign-in');
      await look('sign-in');
    });
  });
}

async function settled(app: App): Promise<void> {
  await expect(app.page.getByRole('heading', { level: 1 }).filter({ visible: true }).first()).toBeVisible();
  await expect(app.page.locator('[aria-busy=true]')).toHaveCount(0);
}
