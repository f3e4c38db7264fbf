import { type App, expect, test } from '../helpers/app';
import { BLUMEN, DAY, HOUR, MINUTE, type Platforms, WEDDINGS } from '../helpers/platforms';

const TEXT = 'Wreaths from today';

/** A login that was lost, and a post that was missed `late` seconds ago. */
async function missed(app: App, platforms: Platforms, late: number): Promise<void> {
  await app.api.link('facebook');
  await platforms.fault('facebook', { kind: 'revoke' });
  const due = (await platforms.now()) + DAY * 1_000;
  await app.api.schedule(TEXT, [BLUMEN.name, WEDDINGS.name], due);
  await platforms.advanceTo(due + late * 1_000);
  await app.goto('/social/missed');
  await expect(app.page.getByTestId('missed-row')).toHaveCount(1);
}

test('before the reconnect, Missed posts leads to it and schedules only what is ticked', async ({ app, platforms }) => {
  await missed(app, platforms, 5 * HOUR);
  const band = app.page.getByTestId('band');
  await expect(band).toContainText('Facebook is still disconnected');
  await expect(band.getByRole('link'), 'no button leads to the page itself').toHaveCount(0);
  const apply = app.page.getByTestId('apply-missed');
  await expect(apply, 'nothing is ticked').toBeDisabled();
  await app.page.getByTestId('missed-row').getByRole('checkbox').check();
  await expect(apply).toBeEnabled();
  await expect(apply).toHaveText('Schedule 1 post');
  await app.isAccessible('Missed posts while disconnected');
  await app.fits('Missed posts while disconnected');

  await band.getByTestId('refresh-credentials').click();
  await app.consent();
  await expect(app.result()).toHaveAttribute('data-outcome', 'all_back');
  await app.page.getByTestId('choose-new-times').click();
  await expect(app.page.getByTestId('missed-row').getByRole('checkbox'), 'ticked now that it would go out').toBeChecked();
  await expect(app.page.getByTestId('band')).toHaveCount(0);
});

test('what is sent at once from Missed posts is confirmed', async ({ app, platforms }) => {
  await missed(app, platforms, HOUR);
  await app.page.getByTestId('band').getByTestId('refresh-credentials').click();
  await app.consent();
  await app.goto('/social/missed');
  await expect(app.page.getByTestId('apply-missed')).toHaveText('Send 1 post now');
  await app.page.getByTestId('apply-missed').click();
  await expect(app.page.getByTestId('missed-done')).toHaveText('1 post is being sent now.');
  await expect(app.page.getByText('Nothing was missed')).toHaveCount(0);
  await expect.poll(() => platforms.online('facebook', TEXT)).toEqual({ [BLUMEN.id]: 1, [WEDDINGS.id]: 1 });
});

test('a new time of a missed post begins ahead, and dismissing it says so', async ({ app, platforms }) => {
  await missed(app, platforms, 5 * HOUR);
  await app.openPost(TEXT, 'did_not_go_out');
  const form = app.page.getByTestId('reschedule-form');
  const day = await form.locator('[name=date]').inputValue();
  const time = await form.locator('[name=time]').inputValue();
  // Berlin is at most two hours ahead of UTC.
  expect(Date.parse(`${day}T${time}Z`)).toBeGreaterThan((await platforms.now()));
  await app.page.getByTestId('cancel-post').click();
  await expect(app.page.getByTestId('post')).toHaveAttribute('data-status', 'canceled');
});

test('the new times of missed posts can be undone', async ({ app, platforms }) => {
  await missed(app, platforms, 5 * HOUR);
  await app.page.getByTestId('missed-row').getByRole('checkbox').check();
  await app.page.getByTestId('apply-missed').click();
  await expect(app.page.getByText('Nothing more is waiting here.')).toBeVisible();
  await app.page.getByTestId('undo-missed').click();
  await expect(app.page.getByTestId('missed-row')).toHaveCount(1);
  await platforms.advance(5 * MINUTE);
  expect(await platforms.online('facebook', TEXT)).toEqual({});
});
