// Pages of headless Chromium that fail the test for whatever goes wrong in them.
import assert from 'node:assert/strict';
import { browser } from '../chromium.mjs';

export { browser };

/** A page that asks nobody else. */
export async function open(address, options = {}) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
    page.wrong = [];
    page.on('pageerror', error => page.wrong.push(String(error)));
    // (The console also reports refusals by status: they are checked where they are expected.)
    page.on('console', message => {
        if (message.type() === 'error' && !/status of (400|401|404|429)/.test(message.text())) page.wrong.push(message.text());
    });
    page.on('request', request => {
        const { origin, protocol } = new URL(request.url());
        if (origin !== new URL(address).origin && protocol !== 'blob:') page.wrong.push('asked ' + request.url());
    });
    await page.goto(address);
    return page;
}

export async function close(page) {
    assert.deepEqual(page.wrong, []);
    await page.close();
}

export const says = (page, text) => page.waitForFunction(
    text => document.getElementById('state').textContent.includes(text), text, { timeout: 600000 });

/** Takes each step, and says which failed, or hung. */
export async function run(steps) {
    for (const [name, step] of Object.entries(steps)) {
        let timer;
        const hung = new Promise((_, fail) => {
            timer = setTimeout(() => fail(new Error('it has not ended within 900 s')), 900000);
        });
        try {
            await Promise.race([step(), hung]);
            console.log('ok: ' + name);
        } catch (error) {
            process.exitCode = 1;
            console.log('FAILED: ' + name + '\n' + error.stack);
        }
        clearTimeout(timer);
    }
}
