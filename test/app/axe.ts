// What axe finds wrong with a page as it is.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from '@playwright/test';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong on the page as it is, a line each: the rule, and where it is broken. */
export async function violations(
  page: Page,
  more: readonly string[] = [],
  less: readonly string[] = [],
): Promise<string[]> {
  await page.evaluate(axe);
  // Colours change with the theme in a transition, however short: it has to be over.
  await page.evaluate(async () => {
    const frame = () => new Promise((seen) => requestAnimationFrame(seen));
    await frame();
    await frame();
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
  });
  const found = await page.evaluate(
    async ([wanted, unwanted]) => {
      type Run = (on: Document, options: RunOptions) => Promise<AxeResults>;
      const { run } = (window as unknown as { axe: { run: Run } }).axe;
      const only = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      return run(document, {
        runOnly: only,
        resultTypes: ['violations'],
        rules: {
          // Panes are landmarks; what moves their edges, and what pops up, is in none.
          region: { enabled: false },
          // A figure that changes each second is no part of a VM's name.
          'label-content-name-mismatch': { enabled: false },
          ...Object.fromEntries(wanted.map((rule) => [rule, { enabled: true }])),
          ...Object.fromEntries(unwanted.map((rule) => [rule, { enabled: false }])),
        },
      });
    },
    [more, less] as const,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${String(node.target)}: ${node.failureSummary?.split('\n').slice(1).join(' ') ?? ''}`),
  );
}
