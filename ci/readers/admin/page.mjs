// Drives the page of `/debug/probes` in headless Chromium, as a user does.
//   node page.mjs SERVER TOKEN-SERVER TOKEN OUT
// SERVER and TOKEN-SERVER are addresses that `admin_check` prints. OUT gets pictures, and the trace that was downloaded.
// Needs playwright-core in node_modules of the working directory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { browser, close, open, run, says } from './browser.mjs';

const [server, guarded, token, out] = process.argv.slice(2);

await run({
    async 'filter, read, watch, tail, record, by mouse'() {
        const page = await open(server + '/debug/probes');
        assert.equal(await page.locator('#events li').count(), 3);
        await page.fill('#match', 'PLACED');
        await page.press('#match', 'Enter');
        await page.waitForURL('**match=PLACED');
        assert.equal(await page.locator('#events li').count(), 1);
        await page.click('#events summary');
        const text = await page.innerText('#events');
        assert.match(text, /for <b>ever<\/b>/);
        assert.match(text, /card: &str redacted/);

        await page.fill('#seconds', '3');
        await page.click('[data-do=watch]');
        await page.waitForFunction(() => /^\d+ \/s$/.test(document.querySelector('.rate').textContent), null, { timeout: 600000 });
        const rate = parseInt(await page.innerText('.rate'));
        // (It is fired at most every 5 ms; how often, is the machine's affair.)
        assert.ok(rate > 0 && rate < 300, `${rate} a second`);
        await says(page, 'nothing is attached any more');

        await page.click('[data-do=tail]');
        await page.waitForSelector('#result tbody tr');
        await page.click('[data-do=stop]');
        await says(page, 'Stopped');
        const row = await page.innerText('#result tbody tr');
        assert.match(row, /shop::PLACED/);
        assert.match(row, /symbol="ACME" card=\[redacted\]/);
        assert.ok(!(await page.content()).includes('4711'));

        await page.fill('#seconds', '1');
        await page.selectOption('#format', 'chrome');
        const download = page.waitForEvent('download', { timeout: 600000 });
        await page.click('[data-do=record]');
        await (await download).saveAs(path.join(out, 'trace.json'));
        const trace = fs.readFileSync(path.join(out, 'trace.json'), 'utf8');
        JSON.parse(trace);
        assert.match(trace, /ACME/);
        assert.ok(!trace.includes('4711'));
        await says(page, 'Recorded');

        await page.fill('#seconds', '1');
        await page.evaluate(() => { document.getElementById('seconds').value = '1000'; });
        await page.click('[data-do=watch]');
        await says(page, 'expected a number from 0.1 to 300');
        await close(page);
    },

    async 'by keyboard alone: choose, tail, stop'() {
        const page = await open(server + '/nested/probes?match=shop');
        await page.focus('#events input');
        await page.keyboard.press('Space');
        assert.match(await page.innerText('#which'), /the 1 chosen/);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        assert.ok(await page.locator('#events details').first().evaluate(details => details.open));
        await page.focus('[data-do=tail]');
        await page.keyboard.press('Enter');
        await says(page, 'tail');
        // The focus is on what stops it.
        await page.keyboard.press('Enter');
        await says(page, 'Stopped');
        await close(page);
    },

    async 'the page can be read, filtered and recorded from without a script'() {
        const page = await open(server + '/debug/probes/', { javaScriptEnabled: false });
        await page.fill('#match', '*::FILLED');
        await page.click('#filter button');
        assert.equal(await page.locator('#events li').count(), 1);
        await page.fill('#seconds', '0.5');
        const download = page.waitForEvent('download', { timeout: 600000 });
        await page.click('[data-do=record]');
        await (await download).saveAs(path.join(out, 'trace.pftrace'));
        assert.ok(fs.statSync(path.join(out, 'trace.pftrace')).size > 200);
        await page.close();
    },

    async 'with a token: asked for, kept in the tab, in no address'() {
        const page = await open(guarded + '/debug/probes');
        await page.fill('#token', 'wrong');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.getElementById('refused').textContent.includes('not this server'));
        await page.fill('#token', token);
        await page.keyboard.press('Enter');
        await page.waitForSelector('#events li');
        await page.fill('#match', 'FILLED');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.querySelectorAll('#events li').length === 1);
        await page.reload();
        await page.waitForSelector('#events li');
        assert.equal(await page.locator('#events li').count(), 1);
        await page.fill('#seconds', '1');
        await page.click('[data-do=tail]');
        await page.waitForSelector('#result tbody tr');
        await says(page, 'ended by time');
        assert.ok(!page.url().includes(token));
        await close(page);
    },

    async 'another site\'s page is not let in, by the browser itself'() {
        const page = await open(server + '/');
        const status = await page.evaluate(async address => {
            try { return (await fetch(address, { method: 'POST', mode: 'no-cors' })).type; } catch (error) { return 'refused'; }
        }, guarded + '/nested/probes/record?match=*&seconds=1');
        assert.equal(status, 'refused', 'not even an opaque answer is handed over');
        await page.close();
    },

    async 'pictures: light and dark, and nothing wider than a phone'() {
        for (const [name, options] of Object.entries({
            light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 360, height: 740 } },
        })) {
            const page = await open(server + '/debug/probes', options);
            await page.locator('#events summary').first().click();
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
            await page.screenshot({ path: path.join(out, name + '.png') });
            await close(page);
        }
    },
});
await browser.close();
