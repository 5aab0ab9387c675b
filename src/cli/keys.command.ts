import { NotionKeyRotation } from '../encryption/notion-key.rotation.js';
import { EXIT_FAILED } from './exit-codes.js';
import type { Printer } from './printer.js';
import { withApplication } from './with-application.js';

export async function keysStatus(
  print: Printer,
  { json = false }: { readonly json?: boolean },
): Promise<void> {
  const usage = await withApplication((application) =>
    application.get(NotionKeyRotation, { strict: false }).status(),
  );
  if (json) {
    print.json(usage);
    return;
  }
  print.table(
    ['key', 'rows', 'use'],
    usage.map(({ keyId, rows, isConfigured, isSealing }) => [
      keyId,
      String(rows),
      isSealing ? 'seals' : isConfigured ? 'opens' : 'MISSING',
    ]),
  );
}

export async function rotateKeys(print: Printer, { batch }: { readonly batch: number }): Promise<void> {
  const broken = new AbortController();
  process.once('SIGINT', () => {
    broken.abort();
  });
  const report = await withApplication((application) =>
    application.get(NotionKeyRotation, { strict: false }).run({
      batchSize: batch,
      signal: broken.signal,
      onProgress: ({ resealed, left }) => {
        const total = resealed + left;
        print.progress(
          total === 0 ? 1 : resealed / total,
          `${String(resealed)} of ${String(total)} rows sealed anew`,
        );
      },
    }),
  );
  print.line(
    `${String(report.resealed)} sealed anew, ${String(report.left)} left, ${String(report.unreadable)} that no key opens, in ${String(report.tookMs)} ms`,
  );
  if (report.left > 0) process.exitCode = EXIT_FAILED;
}
