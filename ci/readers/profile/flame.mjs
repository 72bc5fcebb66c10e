// Opens a flame graph in headless Chromium, takes a picture of it, and says how it is laid out:
// flame.mjs SVG PNG JSON
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { browser } from '../chromium.mjs';

const [svg, png, json] = process.argv.slice(2);
const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
const url = pathToFileURL(svg).href;
const requests = [];
const errors = [];
page.on('request', (request) => request.url() === url || requests.push(request.url()));
page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
page.on('pageerror', (error) => errors.push(String(error)));

const themes = {};
for (const theme of ['light', 'dark']) {
  await page.emulateMedia({ colorScheme: theme });
  await page.goto(url);
  themes[theme] = await page.evaluate(() => {
    const text = document.querySelector('.frame text');
    if (!text) throw new Error('no frame of the picture has a text');
    return [getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(text).fill];
  });
}
await page.emulateMedia({ colorScheme: 'light' });
await page.goto(url);
// All of it, for the picture.
const height = await page.evaluate(() => document.documentElement.getBoundingClientRect().height);
await page.setViewportSize({ width: 1200, height: Math.min(Math.ceil(height), 4000) });
const frames = await page.evaluate(() =>
  [...document.querySelectorAll('.frame')].map((frame) => {
    const { width, top, bottom } = frame.querySelector('rect').getBoundingClientRect();
    const title = frame.querySelector('title').textContent;
    return { title, width, top, bottom, text: frame.querySelector('text')?.textContent ?? '' };
  }));
const full = Math.max(...frames.map((frame) => frame.width));
const picture = await page.screenshot({ path: png });
await browser.close();

// How many different rows of pixels there are, about: a PNG's lines, inflated.
const chunks = [];
for (let at = 8; at < picture.length;) {
  const length = picture.readUInt32BE(at);
  if (picture.toString('latin1', at + 4, at + 8) === 'IDAT') chunks.push(picture.subarray(at + 8, at + 8 + length));
  at += length + 12;
}
const pixels = inflateSync(Buffer.concat(chunks));
const colours = new Set();
for (let at = 1; at + 3 <= pixels.length; at += 3) colours.add(pixels.readUIntBE(at, 3));
writeFileSync(json, JSON.stringify({ requests, errors, themes, frames, full, colours: colours.size }));
