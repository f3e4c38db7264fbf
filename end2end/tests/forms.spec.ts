import { expect, test } from '../helpers/app';
import { BLUMEN, DAY, HOUR, WEDDINGS } from '../helpers/platforms';

const TEXT = 'How to keep a poinsettia alive';
const LATER = 'How to keep a fern alive\nand well';

test('linking, scheduling, Refresh Credentials and Missed posts work without scripts', async ({ app, platforms }) => {
  await app.link('facebook');
  await app.goto('/social/settings/accounts');
  await expect(app.accounts()).toHaveCount(2);
  const now = await platforms.now();
  await platforms.fault('facebook', { kind: 'revoke' });
  const due = await app.compose({ text: TEXT, accounts: [BLUMEN.name, WEDDINGS.name], at: now + 2 * DAY * 1_000 });
  // Later than three hours: what is less late is sent at once.
  await platforms.advanceTo(due + 4 * HOUR * 1_000);
  await app.shows('/social/settings/accounts', async () => {
    await expect(app.page.getByTestId('disconnected-mark')).toHaveCount(2, { timeout: 1_000 });
  });
  await app.refresh(WEDDINGS.name);
  await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
  await app.goto('/social/missed');
  await app.page.getByTestId('missed-row').getByRole('checkbox').check();
  await app.page.getByTestId('apply-missed').click();
  await expect(app.page.getByTestId('undo-missed')).toBeVisible();
  await platforms.advance(2 * DAY + HOUR);
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
});

test('what a form got wrong is said on its page, and nothing is lost or planned', async ({ app }) => {
  await app.link('facebook');
  await app.goto('/social/compose');
  await app.page.getByTestId('compose-text').fill(TEXT);
  await app.page.getByTestId('schedule').click();
  await expect(app.page.getByText('Pick at least one account.')).toBeVisible();
  await app.goto('/social/posts');
  await expect(app.page.getByTestId('post-row')).toHaveCount(0);
  await app.goto('/social/posts?tab=drafts');
  await expect(app.post(TEXT), 'what was written is kept').toHaveCount(1);
});

test('an edit that is refused is kept in the form, and the post stays as it was', async ({ app, platforms }) => {
  await app.link('facebook');
  await app.compose({ text: TEXT, accounts: [BLUMEN.name], at: (await platforms.now()) + DAY * 1_000 });
  await app.page.getByTestId('edit-post').click();
  await app.page.getByTestId('compose-text').fill(LATER);
  await app.page.getByTestId('compose-date').fill('2020-01-05');
  await app.page.getByTestId('compose-time').fill('08:15');
  await app.page.getByTestId('schedule').click();
  await expect(app.page.getByText('This time has passed').first()).toBeVisible();
  await expect(app.page.getByTestId('compose-text')).toHaveValue(LATER);
  await expect(app.page.getByTestId('compose-date')).toHaveValue('2020-01-05');
  await expect(app.page.getByTestId('compose-time')).toHaveValue('08:15');
  await app.goto('/social/posts');
  await expect(app.post(TEXT), 'it is planned as it was').toHaveCount(1);
  await expect(app.post(LATER)).toHaveCount(0);

  await app.post(TEXT).getByRole('link').first().click();
  await app.page.getByTestId('edit-post').click();
  await app.page.getByTestId('compose-text').fill('x'.repeat(63_207));
  await app.page.getByTestId('schedule').click();
  await expect(app.page.getByText('63,206').first()).toBeVisible();
  await app.page.getByTestId('compose-text').fill(LATER);
  await app.page.getByTestId('schedule').click();
  await expect(app.page.getByTestId('post-text')).toHaveText(LATER);
  await expect(app.page.getByTestId('post')).toHaveAttribute('data-status', 'planned');
});

test('without a tick nothing is scheduled, and that is said', async ({ app, platforms }) => {
  await app.link('facebook');
  await platforms.fault('facebook', { kind: 'revoke' });
  const due = await app.compose({ text: TEXT, accounts: [BLUMEN.name], at: (await platforms.now()) + DAY * 1_000 });
  await platforms.advanceTo(due + 5 * HOUR * 1_000);
  await app.goto('/social/missed');
  await app.page.getByTestId('apply-missed').click();
  await expect(app.page.getByText('Tick at least one post.')).toBeVisible();
});

test('what is sent at once from Missed posts is confirmed', async ({ app, platforms }) => {
  await app.link('facebook');
  await platforms.fault('facebook', { kind: 'revoke' });
  const due = await app.compose({ text: TEXT, accounts: [BLUMEN.name], at: (await platforms.now()) + DAY * 1_000 });
  await platforms.advanceTo(due + HOUR * 1_000);
  await app.goto('/social/settings/accounts');
  await app.refresh(BLUMEN.name);
  await app.goto('/social/missed');
  await app.page.getByTestId('apply-missed').click();
  await expect(app.page.getByTestId('missed-done')).toHaveText('1 post is being sent now.');
});
