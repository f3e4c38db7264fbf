import { type App, expect, test } from '../helpers/app';
import { BLUMEN, DAY, HOUR, MARA, MINUTE, type Platforms, TOM, WEDDINGS } from '../helpers/platforms';

/** Facebook is linked, and then every login of Mara's there is ended by a new password. */
async function lostLogin(app: App, platforms: Platforms): Promise<void> {
  await app.api.link('facebook');
  await platforms.fault('facebook', { kind: 'change_password' });
  await platforms.advance(2 * DAY);
  await app.goto('/social/settings/accounts');
  await expect(app.accounts()).toHaveCount(2);
  for (const row of await app.accounts().all()) await expect(row).toHaveAttribute('data-status', 'disconnected');
}

async function stillLost(app: App): Promise<void> {
  await app.goto('/social/settings/accounts');
  await expect(app.accounts()).toHaveCount(2);
  for (const row of await app.accounts().all()) {
    await expect(row).toHaveAttribute('data-status', 'disconnected');
    await expect(row.getByTestId('refresh-credentials')).toBeVisible();
  }
  await app.badgeShows('accounts', 2);
}

test('the cause of a lost login is named as Facebook names it', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  await app.account(BLUMEN.name).getByRole('link').first().click();
  await expect(app.page.getByText(/changed password|password was changed/i).first()).toBeVisible();
  await app.isAccessible('the account with a lost login');
  await app.fits('the account with a lost login');
});

test('another person at the sign-in changes nothing, and both are named', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  await app.refresh(BLUMEN.name, { person: TOM });
  await expect(app.result()).toHaveAttribute('data-outcome', 'other_person');
  await expect(app.result()).toContainText(TOM.name);
  await expect(app.result()).toContainText(MARA.name);
  await expect(app.result()).toContainText('Nothing was changed');
  await app.isAccessible('the result with another person');
  await app.fits('the result with another person');
  await stillLost(app);
});

test('a cancelled sign-in changes nothing', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  await app.refresh(BLUMEN.name, { cancel: true });
  await expect(app.result()).toHaveAttribute('data-outcome', 'cancelled');
  await expect(app.result()).toContainText('Nothing was changed');
  await stillLost(app);
  await app.refresh(BLUMEN.name);
  await expect(app.result(), 'the next try works').toHaveAttribute('data-outcome', 'all_back');
});

test('a page that was not ticked is named, and comes back by the next try', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  await app.refresh(BLUMEN.name, { without: [WEDDINGS.id] });
  await expect(app.result()).toHaveAttribute('data-outcome', 'some_back');
  await expect(app.result()).toContainText(WEDDINGS.name);
  await expect(app.result()).toContainText(/not ticked/i);
  await app.isAccessible('the result with one page missing');
  await app.goto('/social/settings/accounts');
  await expect(app.account(BLUMEN.name)).toHaveAttribute('data-status', 'connected');
  await expect(app.account(WEDDINGS.name)).not.toHaveAttribute('data-status', 'connected');
  await app.badgeShows('accounts', 1);
  // Facebook repeats the earlier choice unless it is asked again; then the person ticks both.
  await app.account(WEDDINGS.name).getByTestId('refresh-credentials').click();
  await app.leaveForPlatform();
  for (const page of [BLUMEN, WEDDINGS]) await app.page.getByTestId(`page-${page.id}`).check();
  await app.page.getByTestId('continue').click();
  await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
  await app.goto('/social/settings/accounts');
  for (const row of await app.accounts().all()) await expect(row).toHaveAttribute('data-status', 'connected');
});

test('a permission that was not given is named, and nothing was changed', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  await app.refresh(BLUMEN.name, { withoutScopes: ['pages_manage_posts'] });
  await expect(app.result()).toHaveAttribute('data-outcome', 'permission_missing');
  await stillLost(app);
});

test('a sign-in that comes back a second time changes nothing', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  let callback = '';
  app.page.on('request', (request) => {
    if (request.url().includes('/oauth/facebook/callback')) callback = request.url();
  });
  await app.refresh(BLUMEN.name);
  await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
  await app.page.goto(callback);
  await expect(app.page.getByText(/already used|nothing was changed/i).first()).toBeVisible();
  await app.goto('/social/settings/accounts');
  for (const row of await app.accounts().all()) await expect(row).toHaveAttribute('data-status', 'connected');
});

test('unlinking keeps planned posts as drafts, and linking again sends nothing by itself', async ({ app, platforms }) => {
  const text = 'Opening hours in December';
  await app.api.link('facebook');
  const due = (await platforms.now()) + 3 * HOUR * 1_000;
  await app.api.schedule(text, [BLUMEN.name], due);
  await app.goto('/social/settings/accounts');
  await app.account(BLUMEN.name).getByRole('link').first().click();
  await app.page.getByTestId('unlink').click();
  await expect(app.page.getByText('1 planned post becomes a draft.')).toBeVisible();
  await app.page.getByTestId('unlink-confirm').click();
  await expect(app.page).toHaveURL(/\/social\/settings\/accounts$/);
  await app.goto('/social/settings/accounts');
  await expect(app.account(BLUMEN.name)).toHaveCount(0);
  await expect(app.account(WEDDINGS.name), 'the same login serves on').toHaveAttribute('data-status', 'connected');
  await app.goto('/social/posts?tab=drafts');
  await expect(app.post(text)).toHaveCount(1);

  await app.link('facebook');
  await platforms.advanceTo(due + 30 * MINUTE * 1_000);
  await app.goto('/social/settings/accounts');
  await expect(app.account(BLUMEN.name)).toHaveAttribute('data-status', 'connected');
  expect(await platforms.feed('facebook'), 'nothing went out').toEqual([]);
  await app.goto('/social/posts?tab=drafts');
  await expect(app.post(text)).toHaveCount(1);
});

test('Refresh Credentials works by keyboard alone', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  const { page } = app;
  const press = async (testId: string): Promise<void> => {
    const wanted = page.getByTestId(testId).first();
    await expect(wanted).toBeVisible();
    await expect(async () => {
      await page.keyboard.press('Tab');
      expect(await wanted.evaluate((node) => node === document.activeElement)).toBe(true);
    }).toPass({ timeout: 20_000, intervals: [0] });
    await page.keyboard.press('Enter');
  };
  await press('refresh-credentials');
  const out = page.getByTestId('continue-to-platform');
  const there = page.getByTestId('rehearsal-banner');
  await expect(out.or(there).first()).toBeVisible();
  if (!(await there.isVisible())) await press('continue-to-platform');
  await press('continue');
  await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
});

test('a sign-in that the platform did not explain goes on without a new one', async ({ app, platforms }) => {
  await lostLogin(app, platforms);
  await platforms.fault('facebook', { kind: 'server_error', op: 'profile', times: 6 });
  await app.refresh(BLUMEN.name);
  await expect(app.result()).toHaveAttribute('data-outcome', 'unfinished');
  await app.isAccessible('the result of an unfinished sign-in');
  await app.fits('the result of an unfinished sign-in');
  await app.page.getByTestId('resume-sign-in').click();
  await expect(app.page.getByText('Facebook still does not answer')).toBeVisible();
  await app.page.getByTestId('resume-sign-in').click();
  await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
  await app.goto('/social/settings/accounts');
  for (const row of await app.accounts().all()) await expect(row).toHaveAttribute('data-status', 'connected');
});
