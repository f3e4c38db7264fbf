import { expect, test } from '../helpers/app';
import { png } from '../helpers/image';
import { BLUMEN, BOARD, DAY, HOUR, MARA, MINUTE, WEDDINGS } from '../helpers/platforms';

const TEXT = 'Gift cards are back';
const PINTEREST = MARA.name;

test('a token endpoint that fails three times is no disconnect and no notice', async ({ app, platforms }) => {
  await app.api.link('pinterest');
  await platforms.fault('pinterest', { kind: 'server_error', op: 'token', times: 3 });
  await platforms.advance(25 * DAY);
  const tokens = (await platforms.calls('pinterest')).filter((call) => call.op === 'token').map((call) => call.status);
  expect(tokens.slice(0, 5), 'linked, three refusals to answer, renewed').toEqual([200, 503, 503, 503, 200]);
  await app.goto('/social/settings/accounts');
  await expect(app.account(PINTEREST)).toHaveAttribute('data-status', 'connected');
  await app.goto('/inbox?all=1');
  await expect(app.threads()).toHaveCount(0);
});

test('a commit whose answer is lost is found online, and stays one post', async ({ app, platforms }) => {
  await app.api.link('facebook');
  await platforms.fault('facebook', { kind: 'drop_after_accept', op: 'commit' });
  await app.api.schedule(TEXT, [BLUMEN.name], 'now');
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
  await platforms.advance(10 * MINUTE);
  await app.openPost(TEXT, 'published');
  await expect(app.delivery()).toHaveAttribute('data-status', 'published');
  await expect(app.page.locator('[data-testid=proof-step][data-what=no_answer]')).toHaveCount(1);
  await expect(app.page.locator('[data-testid=proof-step][data-what=looked_found]')).toHaveCount(1);
  await platforms.advance(DAY);
  expect(await platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
});

test('a commit whose answer is lost while the list lags is asked within a minute, found later, and stays one post', async ({
  app,
  platforms,
}) => {
  await app.api.link('facebook');
  await platforms.fault('facebook', { kind: 'listing_lag', seconds: 15 * MINUTE });
  await platforms.fault('facebook', { kind: 'drop_after_accept', op: 'commit' });
  await app.api.schedule(TEXT, [BLUMEN.name], 'now');
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
  await platforms.advance(MINUTE);
  await app.openPost(TEXT, 'did_not_go_out');
  await expect(app.delivery()).toHaveAttribute('data-status', 'needs_answer');
  await expect(app.page.getByTestId('answer-there').first()).toBeVisible();
  await expect(app.page.getByTestId('answer-not-there').first()).toBeVisible();
  const look = await app.page.getByTestId('look').first().getAttribute('href');
  expect(await (await app.page.request.get(look ?? '')).text(), 'a person sees there what the list does not show yet').toContain(TEXT);
  await app.isAccessible('a post that needs an answer');
  await app.fits('a post that needs an answer');
  await app.goto('/inbox');
  await expect(app.threads()).toHaveCount(1);
  await expect(app.threads()).toHaveAttribute('data-stage', 'needs_answer');

  await platforms.advance(HOUR);
  await app.openPost(TEXT, 'published');
  await expect(app.delivery()).toHaveAttribute('data-status', 'published');
  await expect(app.page.locator('[data-testid=proof-step][data-what=looked_found]')).toHaveCount(1);
  await app.goto('/inbox?all=1');
  await expect(app.threads()).toHaveCount(1);
  await expect(app.threads()).toHaveAttribute('data-resolved', 'true');
  await platforms.advance(DAY);
  expect(await platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
});

test('a person who says that it is there ends the question', async ({ app, platforms }) => {
  await app.api.link('facebook');
  await platforms.fault('facebook', { kind: 'listing_lag', seconds: DAY });
  await platforms.fault('facebook', { kind: 'drop_after_accept', op: 'commit' });
  await app.api.schedule(TEXT, [BLUMEN.name], 'now');
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
  await platforms.advance(MINUTE);
  await app.openPost(TEXT, 'did_not_go_out');
  await app.page.getByTestId('answer-there').first().click();
  await expect(app.delivery()).toHaveAttribute('data-status', 'published');
  await platforms.advance(2 * DAY);
  expect(await platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
});

test('a post that never arrived is sent again only when a person says so', async ({ app, platforms }) => {
  await app.api.link('facebook');
  await platforms.fault('facebook', { kind: 'drop_before_accept', op: 'commit' });
  await app.api.schedule(TEXT, [BLUMEN.name], 'now');
  await expect.poll(async () => (await platforms.calls('facebook')).filter((call) => call.op === 'commit').length).toBe(1);
  await platforms.advance(5 * HOUR);
  expect(await platforms.online('facebook', TEXT), 'absence in a list is no proof').toEqual({});
  await app.openPost(TEXT, 'did_not_go_out');
  await expect(app.delivery()).toHaveAttribute('data-status', 'needs_answer');
  await app.page.getByTestId('answer-not-there').first().click();
  await app.page.getByTestId('answer-send-again').first().click();
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1 });
});

test('what one platform cannot take holds nothing up at the other', async ({ app, platforms }) => {
  await app.api.link('facebook');
  await app.api.link('pinterest');
  await platforms.fault('facebook', { kind: 'server_error', op: 'prepare', times: 3 });
  await platforms.fault('facebook', { kind: 'rate_limit', op: 'commit', times: 2 });
  const accounts = [BLUMEN.name, WEDDINGS.name, PINTEREST];
  await app.api.schedule(TEXT, accounts, 'now', [await app.api.upload(png(64, 64))]);
  await expect.poll(() => platforms.online('pinterest', TEXT)).toEqual({ [BOARD.id]: 1 });
  await platforms.advance(2 * HOUR);
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
  await platforms.advance(DAY);
  expect(await platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
});

test('a cancelled post does not go out', async ({ app, platforms }) => {
  await app.api.link('facebook');
  const due = (await platforms.now()) + HOUR * 1_000;
  const post = await app.api.schedule(TEXT, [BLUMEN.name], due);
  await app.openPost(TEXT, 'planned');
  await app.page.getByTestId('cancel-post').click();
  await expect.poll(() => app.api.deliveries(post)).toEqual(['canceled']);
  await platforms.advanceTo(due + HOUR * 1_000);
  expect(await platforms.feed('facebook')).toEqual([]);
});
