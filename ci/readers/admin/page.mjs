// Drives the page of `/debug/probes` in headless Chromium, as a user does.
//   node page.mjs SERVER TOKEN-SERVER TOKEN OUT
// SERVER and TOKEN-SERVER are addresses that `admin_check` prints. OUT gets pictures, and the trace
// that was downloaded. Needs playwright-core in node_modules of the working directory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { browser, close, open, run, says } from './browser.mjs';

const [server, guarded, token, out] = process.argv.slice(2);

/** The address as the page has it now. */
const url = page => page.evaluate(() => location.href);

/** Opens a panel by a click on its name. */
const panel = (page, name) => page.click(`.tabs label:has([value=${name}])`);

await run({
    async 'filter, read, watch, tail, record, by mouse'() {
        const page = await open(server + '/debug/probes');
        assert.equal(await page.locator('#events li').count(), 3);
        await page.fill('#match', 'PLACED');
        await page.press('#match', 'Enter');
        await page.waitForFunction(() => document.querySelectorAll('#events li').length === 1);
        assert.match(await url(page), /match=PLACED/);
        assert.equal(await page.locator('#events li').count(), 1);
        await page.click('#events li summary');
        const text = await page.innerText('#events');
        assert.match(text, /for <b>ever<\/b>/);
        assert.match(text, /card: &str redacted/);

        await page.fill('#seconds', '3');
        await panel(page, 'rates');
        await page.click('#run');
        await page.waitForFunction(() => /^\d+ \/s$/.test(document.querySelector('.rate').textContent), null, { timeout: 600000 });
        const rate = parseInt(await page.locator('.rate').evaluate(rate => rate.textContent.replace('was ', '')));
        // (It is fired at most every 5 ms; how often, is the machine's affair.)
        assert.ok(rate > 0 && rate < 300, `${rate} a second`);
        await says(page, 'Nothing is attached any more');

        await panel(page, 'tail');
        await page.click('#run');
        await page.waitForSelector('#result tbody tr td:has-text("PLACED")');
        await page.click('#stop');
        await says(page, 'Stopped');
        const row = await page.innerText('#result tbody tr');
        assert.match(row, /PLACED/);
        assert.match(row, /symbol="ACME" card=\[redacted\]/);
        assert.ok(!(await page.content()).includes('4711'));

        await page.fill('#seconds', '1');
        await panel(page, 'record');
        await page.selectOption('#fields select', 'chrome');
        const download = page.waitForEvent('download', { timeout: 600000 });
        await page.click('#run');
        await (await download).saveAs(path.join(out, 'trace.json'));
        const trace = fs.readFileSync(path.join(out, 'trace.json'), 'utf8');
        JSON.parse(trace);
        assert.match(trace, /ACME/);
        assert.ok(!trace.includes('4711'));
        await says(page, 'Recorded');

        await close(page);
    },

    async 'a quarantined probe looks like one'() {
        const page = await open(server + '/debug/probes');
        await page.context().route('**/debug/probes/events', async route => {
            const response = await route.fetch();
            const body = await response.json();
            Object.assign(body.events.find(event => event.name.endsWith('PLACED')), {
                enabled: false, probe_count: 2, probes: [{ name: 'audit', panicked: true }, { name: null, panicked: false }],
            });
            await route.fulfill({ response, json: body });
        });
        await page.fill('#seconds', '1');
        await panel(page, 'rates');
        await page.click('#run');
        await page.waitForFunction(() => document.querySelector('.state.bad')?.textContent === '1 of 2 probes quarantined', null, { timeout: 600000 });
        await page.click('#events li:has-text("PLACED") summary');
        assert.match(await page.innerText('#events'), /audit quarantined: it panicked/);
        await close(page);
    },

    async 'by keyboard alone: choose, tail, stop'() {
        const page = await open(server + '/nested/probes?match=shop#tail');
        await page.waitForSelector('#tools:not([hidden])');
        await page.focus('#events input');
        await page.keyboard.press('Space');
        assert.match(await page.innerText('#which'), /1 chosen/);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        assert.ok(await page.locator('#events li details').first().evaluate(details => details.open));
        await page.focus('#run');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#stop:not([hidden])');
        await page.keyboard.press('Escape');
        await says(page, 'Stopped');
        await close(page);
    },

    async 'a thousand events stay usable: folded, found, guessed'() {
        // The server's own page and events, of a program with more of them.
        const page = await browser.newPage();
        await page.route('**/debug/probes/events', async route => {
            const response = await route.fetch();
            const body = await response.json();
            const [one] = body.events;
            const more = [];
            for (let n = 0; n < 500; n++) for (const ending of ['BEGIN', 'END']) more.push({ ...one, name: `m${n % 40}::E${n}_${ending}`, module: `m${n % 40}`, line: n + 1 });
            await route.fulfill({ response, json: { total: 1003, events: [...body.events, ...more] } });
        });
        // The rule has its tests in the server; here it is asked.
        await page.route('**/debug/probes/guess?begin=*', route => {
            const begin = new URL(route.request().url()).searchParams.get('begin');
            const end = begin.replace('BEGIN', 'END');
            return route.fulfill({ json: { pairs: [{ begin, end, name: 'e', by_name: true, key: 'order', keys: ['order'], label: null, labels: [] }] } });
        });
        await page.goto(server + '/debug/probes');
        await page.waitForSelector('#tools:not([hidden])');
        const select = index => page.locator('#fields select').nth(index);
        assert.deepEqual([await select(0).inputValue(), await select(1).inputValue()], ['admin_check::shop::PLACED', 'admin_check::shop::FILLED']);
        assert.equal(await select(0).locator('option').count(), 1003);
        await select(0).selectOption('m7::E487_BEGIN');
        await page.waitForFunction(() => document.querySelectorAll('#fields select')[1].value === 'm7::E487_END');
        await page.close();
    },

    async 'the page can be read, filtered and recorded from without a script'() {
        const page = await open(server + '/debug/probes/', { javaScriptEnabled: false });
        await page.fill('#match', '*::FILLED');
        await page.click('#filter button');
        assert.equal(await page.locator('#events li').count(), 1);
        await page.fill('noscript [name=seconds]', '0.5');
        const download = page.waitForEvent('download', { timeout: 600000 });
        await page.click('noscript button');
        await (await download).saveAs(path.join(out, 'trace.pftrace'));
        assert.ok(fs.statSync(path.join(out, 'trace.pftrace')).size > 200);
        await page.close();
    },

    async 'with a token: asked for, kept in the tab, in no address'() {
        const page = await open(guarded + '/debug/probes');
        await page.fill('#token', 'wrong');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.getElementById('refused').textContent.includes('not the server'));
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
        await panel(page, 'tail');
        await page.click('#run');
        await page.waitForSelector('#result tbody tr');
        await says(page, 'Nothing is attached any more');
        await page.click('text="Metrics"');
        await page.waitForFunction(() => document.getElementById('result').textContent.includes('hotprobe_events_registered 3'));
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
            await page.locator('#events li summary').first().click();
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
            await page.screenshot({ path: path.join(out, name + '.png') });
            await close(page);
        }
    },
});
await browser.close();
