// Opens a picture in headless Chromium, on a light and on a dark desktop, and says what is seen.
//   node picture.mjs PICTURE.svg FOUND.json [PICTURE.png]
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { browser } from '../chromium.mjs';

const [picture, answers, png] = process.argv.slice(2);

let code = 0;
try {
    const found = [];
    for (const scheme of ['light', 'dark']) {
        const page = await browser.newPage({ viewport: { width: 1000, height: 800 }, colorScheme: scheme });
        await page.route(url => url.protocol !== 'file:', route => route.abort());
        await page.goto(pathToFileURL(path.resolve(picture)).href);
        found.push({ scheme, ...await page.evaluate(() => {
            const all = selector => [...document.querySelectorAll(selector)];
            const svg = document.documentElement;
            if (svg.localName !== 'svg' || document.querySelector('parsererror')) throw new Error('it is no picture');
            const frame = svg.getBoundingClientRect();
            const inside = box => box.left >= frame.left - 0.5 && box.right <= frame.right + 0.5
                && box.top >= frame.top - 0.5 && box.bottom <= frame.bottom + 0.5;
            const boxes = all('text, rect').map(element => [element, element.getBoundingClientRect()]);
            const texts = boxes.filter(([element]) => element.localName === 'text' && !element.classList.contains('marked'));
            const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
            const overlapping = texts.flatMap(([a, box], index) => texts.slice(index + 1)
                .filter(([, other]) => overlap(box, other)).map(([b]) => [a.textContent, b.textContent]));
            const colour = element => getComputedStyle(element).fill;
            const luminance = rgb => {
                const [r, g, b] = rgb.match(/\d+/g).map(Number).map(x => x / 255)
                    .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const paper = colour(document.querySelector('.paper'));
            const contrast = Math.min(...texts.map(([element]) => {
                const [a, b] = [luminance(colour(element)), luminance(paper)];
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            }));
            const bars = all('.bar');
            return {
                title: document.querySelector('svg > title').textContent,
                scripts: all('script').length,
                labels: all('.label').map(element => element.textContent),
                bars: bars.length,
                pairs: bars.reduce((sum, bar) => sum + Number(bar.querySelector('title').textContent), 0),
                outside: boxes.filter(([, box]) => !inside(box)).map(([element]) => element.outerHTML),
                overlapping, paper, contrast,
            };
        }) });
        if (png) {
            // No more than the picture.
            const [width, height] = await page.evaluate(() => ['width', 'height'].map(side => document.documentElement.getBoundingClientRect()[side]));
            await page.setViewportSize({ width: Math.ceil(width), height: Math.ceil(height) });
            await page.screenshot({ path: scheme === 'light' ? png : png.replace(/(\.png)?$/, '-dark.png') });
        }
        await page.close();
    }
    fs.writeFileSync(answers, JSON.stringify(found));
} catch (error) {
    console.error(String(error));
    code = 1;
}
await browser.close();
process.exit(code);
