import { writeFileSync } from 'node:fs';
import { type App, expect, test } from '../helpers/app';
import { type Answer, Api } from '../helpers/api';
import { png } from '../helpers/image';
import { BLUMEN, DAY } from '../helpers/platforms';

const NOBODY = '0123456789abcdef0123456789abcdef';

/** Makes calls that must be refused as said, and shows that the workspace is as it was. */
async function refused(app: App, calls: [what: string, call: () => Promise<Answer>, status: number, code: string][]): Promise<void> {
  const before = await app.api.everything();
  for (const [what, call, status, code] of calls) {
    const answer = await call();
    expect.soft({ status: answer.status, code: answer.body?.code }, what).toEqual({ status, code });
  }
  expect(await app.api.everything(), 'nothing was changed').toEqual(before);
}

/** A workspace with an account and a post that is planned. */
async function something(app: App): Promise<{ account: string; post: string }> {
  await app.api.link('facebook');
  const { id } = await app.api.account(BLUMEN.name);
  const post = await app.api.schedule('Opening hours', [BLUMEN.name], (await app.platforms.now()) + 10 * DAY * 1_000);
  return { account: id, post };
}

test('ids that belong to nobody are not found', async ({ app }) => {
  await something(app);
  const { api } = app;
  const when = { date: '2027-06-01', time: '09:00', zone: 'Europe/Berlin' };
  await refused(app, [
    ['an account', () => api.get('accounts/show', { account: NOBODY }), 404, 'not_found'],
    ['pausing', () => api.post('accounts/pause', { account: NOBODY, paused: true }), 404, 'not_found'],
    ['unlinking', () => api.post('accounts/unlink', { account: NOBODY }), 404, 'not_found'],
    ['checking', () => api.post('accounts/check', { account: NOBODY }), 404, 'not_found'],
    ['refreshing', () => api.post('link/refresh', { grant: NOBODY }), 404, 'not_found'],
    ['a result', () => api.get('link/result', { consent: NOBODY }), 404, 'not_found'],
    ['choosing', () => api.post('link/choose', { consent: NOBODY, remote_ids: ['1'] }), 404, 'not_found'],
    ['taking over', () => api.post('link/take_over', { consent: NOBODY }), 404, 'not_found'],
    ['a post', () => api.get('posts/show', { post: NOBODY }), 404, 'not_found'],
    ['cancelling', () => api.post('posts/cancel', { post: NOBODY }), 404, 'not_found'],
    ['rescheduling', () => api.post('posts/reschedule', { post: NOBODY, ...when }), 404, 'not_found'],
    ['answering', () => api.post('posts/answer', { delivery: NOBODY, answer: 'there' }), 404, 'not_found'],
    ['new times', () => api.post('missed/apply', { posts: [NOBODY], dates: [when.date], times: [when.time] }), 404, 'not_found'],
    ['taking back', () => api.post('missed/undo', { id: NOBODY }), 404, 'not_found'],
    ['dismissing', () => api.post('missed/drop', { posts: [NOBODY] }), 404, 'not_found'],
    ['a thread', () => api.get('inbox/thread', { thread: NOBODY }), 404, 'not_found'],
    ['reading', () => api.post('inbox/read', { thread: NOBODY }), 404, 'not_found'],
    ['an image', () => api.get(`media/${NOBODY}`), 404, 'not_found'],
    ['a workspace', () => api.get('accounts/list', { workspace: 'nowhere' }), 404, 'not_found'],
    ['text for an id', () => api.get('accounts/show', { account: "1' or '1'='1" }), 400, 'bad_arguments'],
    ['no id', () => api.post('posts/cancel', {}), 400, 'bad_arguments'],
  ]);
});

test('ids of another workspace are as if they did not exist', async ({ app, request, server }) => {
  const { account, post } = await something(app);
  const { grant } = await app.api.account(BLUMEN.name);
  const image = await app.api.upload(png(8, 8));
  const { body } = await app.api.get('posts/show', { post });
  const delivery = body.line.deliveries[0].id;
  const slug = (await app.api.get('shell')).body.workspace.slug;

  await server.end();
  const who = ['--name', 'Petra Lang', '--email', 'petra@nordlicht.example', '--workspace', 'Nordlicht'];
  server.command(['owner', 'create', ...who], 'a long enough password\n');
  await server.begin();
  const petra = new Api(request, server);
  const signedIn = await petra.post('auth/sign_in', { email: 'petra@nordlicht.example', password: 'a long enough password' });
  expect(signedIn.status).toBe(200);
  expect(await petra.accounts(), 'her own workspace is empty').toEqual([]);
  const when = { date: '2027-06-01', time: '09:00', zone: 'Europe/Berlin' };
  const write = { text: 'Hello', then: 'schedule', ...when };
  await refused(app, [
    ['her list there', () => petra.get('accounts/list', { workspace: slug }), 404, 'not_found'],
    ['her post there', () => petra.post('posts/compose', { ...write, workspace: slug, accounts: [account] }), 404, 'not_found'],
    ['an account', () => petra.get('accounts/show', { account }), 404, 'not_found'],
    ['pausing', () => petra.post('accounts/pause', { account, paused: true }), 404, 'not_found'],
    ['unlinking', () => petra.post('accounts/unlink', { account }), 404, 'not_found'],
    ['checking', () => petra.post('accounts/check', { account }), 404, 'not_found'],
    ['refreshing', () => petra.post('link/refresh', { grant }), 404, 'not_found'],
    ['a post', () => petra.get('posts/show', { post }), 404, 'not_found'],
    ['editing', () => petra.get('posts/compose_page', { post }), 404, 'not_found'],
    ['posting there', () => petra.post('posts/compose', { ...write, accounts: [account] }), 404, 'not_found'],
    ['overwriting', () => petra.post('posts/compose', { ...write, then: 'draft', post }), 404, 'not_found'],
    ['cancelling', () => petra.post('posts/cancel', { post }), 404, 'not_found'],
    ['rescheduling', () => petra.post('posts/reschedule', { post, ...when }), 404, 'not_found'],
    ['answering', () => petra.post('posts/answer', { delivery, answer: 'there' }), 404, 'not_found'],
    ['new times', () => petra.post('missed/apply', { posts: [post], dates: [when.date], times: [when.time] }), 404, 'not_found'],
    ['dismissing', () => petra.post('missed/drop', { posts: [post] }), 404, 'not_found'],
    ['an image', () => petra.get(`media/${image}`), 404, 'not_found'],
  ]);
});

test('a post that cannot go out as it is written is refused with the reason', async ({ app, platforms }) => {
  const { account } = await something(app);
  const { api } = app;
  const tomorrow = new Date((await platforms.now()) + DAY * 1_000).toISOString().slice(0, 10);
  const fine = { text: 'Hello', accounts: [account], then: 'schedule', date: tomorrow, time: '09:00', zone: 'Europe/Berlin' };
  const yesterday = new Date((await platforms.now()) - DAY * 1_000).toISOString().slice(0, 10);
  const compose = (change: object) => () => api.post('posts/compose', { ...fine, ...change });
  await refused(app, [
    ['too long a text', compose({ text: 'x'.repeat(63_207) }), 422, 'content'],
    ['nothing at all', compose({ text: '   ' }), 422, 'content'],
    ['a link that is none', compose({ link: 'javascript:alert(1)' }), 422, 'content'],
    ['no account', compose({ accounts: [] }), 422, 'no_accounts'],
    ['an unknown account', compose({ accounts: [NOBODY] }), 404, 'not_found'],
    ['an unknown image', compose({ images: [NOBODY] }), 404, 'not_found'],
    ['an unknown post', compose({ post: NOBODY }), 404, 'not_found'],
    ['a time that has passed', compose({ date: yesterday }), 422, 'time_passed'],
    ['a time too far ahead', compose({ date: '2035-01-01' }), 422, 'time_too_far'],
    ['a day that does not exist', compose({ date: '2027-02-30' }), 422, 'bad_time'],
    ['an hour that does not exist', compose({ time: '25:00' }), 422, 'bad_time'],
    ['no time', compose({ date: '', time: '' }), 422, 'bad_time'],
    ['a zone that does not exist', compose({ zone: 'Mars/Olympus' }), 422, 'bad_zone'],
    ['an unknown verb', compose({ then: 'explode' }), 400, 'bad_arguments'],
    ['ids that are none', compose({ accounts: ['../../etc/passwd'] }), 404, 'not_found'],
  ]);
});

test('the refusal of a text says how long it is and how long it may be', async ({ app }) => {
  const { account } = await something(app);
  const { body } = await app.api.post('posts/compose', { text: 'x'.repeat(63_207), accounts: [account], then: 'now' });
  expect(body.problems).toEqual([
    { account, platform: 'facebook', problem: { problem: 'text_too_long', has: 63_207, limit: 63_206 } },
  ]);
});

test('a time that has passed is answered with one that is possible', async ({ app }) => {
  const { account } = await something(app);
  const past = { text: 'Hello', accounts: [account], then: 'schedule', date: '2026-01-05', time: '09:00', zone: 'Europe/Berlin' };
  const { body } = await app.api.post('posts/compose', past);
  expect(body.instead?.at).toBeGreaterThan((await app.platforms.now()) * 1_000);
});

test('a time that summer time leaves out is moved, and said', async ({ app, platforms }) => {
  const { account } = await something(app);
  const march = lastSundayOfMarch(await platforms.now());
  const gap = { text: 'Good morning', accounts: [account], then: 'schedule', date: march, time: '02:30', zone: 'Europe/Berlin' };
  const { status, body } = await app.api.post('posts/compose', gap);
  expect(status).toBe(200);
  expect(body.clock_change).toEqual({ change: 'gap', asked: '02:30', becomes: '03:30' });
  expect(body.due.time).toBe('03:30');
});

test('images that no platform would take are refused, and none is kept', async ({ app }) => {
  const { api } = app;
  await something(app);
  const image = png(200, 100);
  const broken = Buffer.concat([image.subarray(0, 60), Buffer.alloc(40)]);
  const huge = Buffer.from(image);
  huge.writeUInt32BE(50_000, 16);
  huge.writeUInt32BE(50_000, 20);
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  await refused(app, [
    ['a broken PNG', () => api.image(broken), 422, 'image_broken'],
    ['a PNG cut in half', () => api.image(image.subarray(0, 40)), 422, 'image_broken'],
    ['an SVG', () => api.image(svg, 'image/svg+xml'), 422, 'image_kind'],
    ['a text that says it is a PNG', () => api.image(Buffer.from('hello')), 422, 'image_kind'],
    ['nothing', () => api.image(Buffer.alloc(0)), 422, 'image_kind'],
    ['sides of 50,000 pixels', () => api.image(huge), 413, 'image_too_large'],
    ['40 MB', () => api.image(Buffer.concat([image, Buffer.alloc(40 * 1024 * 1024)])), 413, 'image_too_large'],
  ]);
});

test('an image of 40 MB is refused in Compose with the limit', async ({ app }, testInfo) => {
  await something(app);
  const file = testInfo.outputPath('large.png');
  writeFileSync(file, Buffer.concat([png(64, 64), Buffer.alloc(40 * 1024 * 1024)]));
  await app.goto('/social/compose');
  await app.page.getByTestId('compose-image').setInputFiles(file);
  await expect(app.page.getByTestId('form-error').filter({ hasText: 'too large' })).toBeVisible();
  await expect(app.page.getByTestId('compose-tile')).toHaveCount(0);
});

test('what comes back from a platform and is not ours changes nothing', async ({ app, server }) => {
  await something(app);
  const before = await app.api.everything();
  const long = 'x'.repeat(20_000);
  for (const callback of [
    'facebook/callback',
    'facebook/callback?code=abc',
    'facebook/callback?state=abc&code=abc',
    'facebook/callback?state=abc&state=def&code=abc',
    `facebook/callback?state=abc&code=${long}`,
    'facebook/callback?state=%ff%fe&code=%00',
    'facebook/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E',
    'pinterest/callback?state=abc&code=abc&iss=https%3A%2F%2Fevil.example',
    'myspace/callback?state=abc&code=abc',
  ]) {
    const answer = await app.page.goto(`${server.url}/oauth/${callback}`);
    expect.soft(answer?.status(), callback.slice(0, 60)).toBeLessThan(500);
    await expect.soft(app.page.getByRole('heading', { level: 1 }).first()).toBeVisible();
  }
  expect(await app.api.everything(), 'nothing was changed').toEqual(before);
});

test('a state is worth nothing in another browser', async ({ app, browser, server }) => {
  await something(app);
  const before = await app.api.everything();
  const going = await app.api.post('link/start', { platform: 'pinterest' });
  const state = new URL(going.body.url).searchParams.get('state') ?? '';
  expect(state.length, '128 bits at least').toBeGreaterThanOrEqual(22);
  const stranger = await browser.newContext();
  await stranger.request.post(`${server.url}/api/v1/demo/sign-in`);
  const page = await stranger.newPage();
  await page.goto(`${server.url}/oauth/pinterest/callback?code=abc&state=${state}`);
  await expect(page.getByRole('heading', { level: 1 }).first()).toBeVisible();
  expect(new URL(page.url()).pathname).not.toMatch(/^\/link\/result/);
  await stranger.close();
  expect(await app.api.everything(), 'nothing was changed').toEqual(before);
});

test('requests of the wrong shape are refused with a stable code', async ({ app, server }) => {
  const { post } = await something(app);
  const send = (path: string, options: { method?: string; body?: string; type?: string; headers?: Record<string, string> }) => async () => {
    const { method = 'POST', body, type = 'application/json', headers } = options;
    const answer = await app.page.request.fetch(`${server.url}/api/v1/${path}`, {
      method,
      data: body,
      headers: { 'content-type': type, ...headers },
    });
    const text = await answer.text();
    return { status: answer.status(), body: text.startsWith('{') ? JSON.parse(text) : { text } };
  };
  const cancel = JSON.stringify({ post });
  await refused(app, [
    ['half a JSON object', send('posts/cancel', { body: '{"post":' }), 400, 'bad_arguments'],
    ['a JSON list', send('posts/cancel', { body: '[1,2]' }), 400, 'bad_arguments'],
    ['a number for an id', send('posts/cancel', { body: '{"post":7}' }), 400, 'bad_arguments'],
    ['no body', send('posts/cancel', {}), 400, 'bad_arguments'],
    ['deep nesting', send('posts/cancel', { body: '['.repeat(50_000) }), 400, 'bad_arguments'],
    ['bytes that are no text', send('posts/cancel', { body: 'post=%ff%fe', type: 'application/x-www-form-urlencoded' }), 400, 'bad_arguments'],
    ['JSON as text', send('posts/cancel', { body: cancel, type: 'text/plain' }), 415, 'wrong_content_type'],
    ['XML', send('posts/cancel', { body: '<post/>', type: 'application/xml' }), 415, 'wrong_content_type'],
    ['multipart', send('posts/cancel', { body: '--x--', type: 'multipart/form-data; boundary=x' }), 415, 'wrong_content_type'],
    ['an unknown function', send('posts/explode', { body: '{}' }), 404, 'unknown_function'],
    ['an unknown corner', send('..%2f..%2fetc/passwd', { body: '{}' }), 404, 'unknown_function'],
    ['a write by GET', send('posts/cancel', { method: 'GET' }), 405, 'wrong_method'],
    ['a read by POST', send('accounts/list', { body: '{}' }), 405, 'wrong_method'],
    ['another method', send('posts/cancel', { method: 'DELETE' }), 405, 'wrong_method'],
    ['another site', send('posts/cancel', { body: cancel, headers: { origin: 'https://evil.example' } }), 403, 'cross_site'],
    ['no site at all', send('posts/cancel', { body: cancel, headers: { origin: 'null' } }), 403, 'cross_site'],
    ['the platforms’ site', send('posts/cancel', { body: cancel, headers: { origin: `http://localhost:${server.port}` } }), 403, 'cross_site'],
    ['2 MB', send('posts/compose', { body: JSON.stringify({ text: 'x'.repeat(2 * 1024 * 1024) }) }), 413, 'too_large'],
  ]);
});

test('without a session everything asks to sign in', async ({ app, request, server }) => {
  const { post } = await something(app);
  const before = await app.api.everything();
  for (const path of ['shell', 'overview', 'accounts/list', 'inbox/list', 'posts/list', 'missed/list', 'posts/compose_page']) {
    const answer = await request.get(`${server.url}/api/v1/${path}`);
    expect.soft({ path, status: answer.status(), code: (await answer.json()).code }).toEqual({ path, status: 401, code: 'not_signed_in' });
  }
  for (const [path, data] of [
    ['posts/cancel', { post }],
    ['posts/compose', { text: 'Hello' }],
    ['link/start', { platform: 'facebook' }],
  ] as const) {
    const answer = await request.post(`${server.url}/api/v1/${path}`, { data });
    expect.soft({ path, status: answer.status(), code: (await answer.json()).code }).toEqual({ path, status: 401, code: 'not_signed_in' });
  }
  expect((await request.get(`${server.url}/events?after=0`)).status()).toBe(401);
  const page = await request.get(`${server.url}/social/settings/accounts`);
  expect(new URL(page.url()).pathname).toBe('/sign-in');
  expect(await app.api.everything(), 'nothing was changed').toEqual(before);
});

test('every answer carries the headers that a browser needs', async ({ app, request, server }) => {
  await app.goto('/');
  for (const path of ['/', '/sign-in', '/social/nowhere', '/api/v1/posts/explode', '/healthz', '/oauth/facebook/callback']) {
    const answer = await request.get(server.url + path, { maxRedirects: 0 });
    const headers = answer.headers();
    expect.soft(headers['content-security-policy'], path).toMatch(/^default-src 'none'/);
    expect.soft(headers['x-content-type-options'], path).toBe('nosniff');
    expect.soft(headers['content-security-policy'], path).not.toContain('unsafe-inline');
  }
});

test('a fault that does not exist is refused with the list of those that do', async ({ server, request }) => {
  const answer = await request.post(`${server.url}/sim/facebook/faults`, { data: { kind: 'explode' } });
  expect(answer.status()).toBe(400);
  expect((await answer.json()).kinds).toContain('drop_after_accept');
});

/** The day on which Berlin has no 02:30, the next after `now`. */
function lastSundayOfMarch(now: number): string {
  for (let year = new Date(now).getUTCFullYear(); ; year += 1) {
    const last = new Date(Date.UTC(year, 2, 31));
    last.setUTCDate(31 - last.getUTCDay());
    if (last.getTime() > now + DAY * 1_000) return last.toISOString().slice(0, 10);
  }
}
