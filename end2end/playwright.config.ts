import { defineConfig } from '@playwright/test';

/** Everything that a run leaves behind; not committed. */
const RESULTS = 'test-results';

export default defineConfig({
  testDir: 'tests',
  outputDir: `${RESULTS}/run`,
  fullyParallel: true,
  // Two cores; each test has a server and a browser.
  workers: 2,
  // A test that passes at the second try has found something.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 120_000,
  expect: { timeout: 15_000 },
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    actionTimeout: 15_000,
    navigationTimeout: 30_000,
    screenshot: 'only-on-failure',
    trace: process.env.TRACE ? 'retain-on-failure' : 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
  projects: [
    {
      name: 'desktop',
      use: { viewport: { width: 1280, height: 900 } },
      testIgnore: ['**/forms.spec.ts'],
    },
    {
      name: 'phone',
      use: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
      testMatch: ['**/story.spec.ts', '**/consent.spec.ts', '**/publishing.spec.ts', '**/screens.spec.ts'],
    },
    {
      name: 'no-javascript',
      use: { viewport: { width: 1280, height: 900 }, javaScriptEnabled: false },
      testMatch: ['**/forms.spec.ts'],
    },
  ],
});
