import { type App, expect, test } from '../helpers/app';
import { DAY, type Platforms } from '../helpers/platforms';

async function lose(app: App, platforms: Platforms): Promise<void> {
  await platforms.fault('facebook', { kind: 'revoke' });
  await platforms.advance(2 * DAY);
  await app.badgeShows('accounts', 2);
}

test('what is read in one tab falls from the badge of another within a second', async ({ app, platforms }) => {
  await app.api.link('facebook');
  await app.goto('/');
  await lose(app, platforms);
  const other = await app.tab();
  await other.goto('/');
  await other.badgeShows('inbox', 1);
  await app.goto('/inbox');
  const read = app.page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().includes('/api/v1/'));
  await app.threads().getByRole('link').first().click();
  await read;
  await other.badgeShows('inbox', 0, 1_000);
  expect(await other.badge('accounts'), 'reading hides no live problem').toBe(2);
});

test('eight open tabs all show a lost login without a reload, and a ninth still opens', async ({ app, platforms }) => {
  await app.api.link('facebook');
  const tabs = [app];
  while (tabs.length < 8) tabs.push(await app.tab());
  for (const tab of tabs) await tab.goto('/');
  await platforms.fault('facebook', { kind: 'revoke' });
  await platforms.advance(2 * DAY);
  for (const tab of tabs) await tab.badgeShows('accounts', 2);
  for (const tab of tabs) await expect(tab.page).toHaveTitle(/\d/);
  const ninth = await app.tab();
  await ninth.goto('/inbox');
  await expect(ninth.threads()).toHaveCount(1);
});

test('a tab that was offline shows the present once it is back', async ({ app, platforms }) => {
  await app.api.link('facebook');
  await app.goto('/social/settings/accounts');
  await app.page.context().setOffline(true);
  await platforms.fault('facebook', { kind: 'revoke' });
  await platforms.advance(2 * DAY);
  await app.page.context().setOffline(false);
  await app.badgeShows('accounts', 2, 30_000);
  await expect(app.page.getByTestId('disconnected-mark').filter({ visible: true })).toHaveCount(2);
});

test('the stream of events ends with its session', async ({ app, server }) => {
  await app.goto('/');
  const cookies = await app.page.context().cookies(server.url);
  const headers = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') };
  const stream = await fetch(`${server.url}/events?after=0`, { headers });
  expect(stream.status).toBe(200);
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  const ended = stream.text();
  await app.page.request.post(`${server.url}/api/v1/auth/sign_out`, { form: {} });
  await ended;
  expect((await fetch(`${server.url}/events?after=0`, { headers })).status).toBe(401);
  await app.page.goto(server.url);
  await expect(app.page).toHaveURL(/sign-in/);
});

test('a deleted draft is not asked for any more', async ({ app }) => {
  await app.api.link('facebook');
  const { body } = await app.api.post('posts/compose', { text: 'Never mind', then: 'draft' });
  const other = await app.tab();
  await other.goto('/social/posts?tab=drafts');
  await expect(other.post('Never mind')).toHaveCount(1);
  await app.goto(`/social/posts/${body.post}`);
  const refused: string[] = [];
  app.page.on('response', (answer) => {
    if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.url()}`);
  });
  // The event overtakes the answer: held back until the other tab has heard of it.
  await app.page.route('**/posts/cancel', async (route) => {
    const answer = await route.fetch();
    await expect(other.post('Never mind')).toHaveCount(0);
    await route.fulfill({ response: answer });
  });
  await app.page.getByTestId('cancel-post').click();
  await expect(app.page).toHaveURL(/tab=drafts/);
  await expect(app.page.getByRole('heading', { level: 1 }).filter({ visible: true })).toHaveText('Posts');
  expect(refused).toEqual([]);
});

test('a page whose part of the program cannot be loaded says so, and its reload brings it', async ({ app, complaints }) => {
  await app.goto('/');
  await app.page.route('**/pkg/split_post_pages*', (route) => route.abort());
  await app.page.getByRole('link', { name: 'Calendar' }).filter({ visible: true }).click();
  const stopped = app.page.getByRole('alert').filter({ hasText: 'This page has stopped' });
  await expect(stopped).toBeVisible();
  expect(complaints.splice(0).join('\n'), 'this is what stopped it').toContain('load callback');
  await app.page.unroute('**/pkg/split_post_pages*');
  await stopped.getByRole('link', { name: 'Reload the page' }).click();
  await expect(stopped).toBeHidden();
  await app.page.waitForSelector('html[data-hydrated]');
  await app.page.getByRole('link', { name: 'Calendar' }).filter({ visible: true }).click();
  await expect(app.page.getByRole('heading', { level: 1, name: 'Calendar' })).toBeVisible();
});
