import { text } from 'node:stream/consumers';
import { diagnose } from '../diagnosis/diagnose.js';
import type { DiagnosisStage } from '../diagnosis/diagnosis.js';
import { printMeaning } from './authorizations.command.js';
import type { Printer } from './printer.js';

/** Reads what was pasted, and repeats nothing of it but its status and request id. */
export async function diagnosePasted(
  print: Printer,
  pasted: string | undefined,
  { stage, json = false }: { readonly stage: DiagnosisStage; readonly json?: boolean },
): Promise<void> {
  const error = (pasted ?? (await readPasted())).trim();
  if (error === '') throw new Error('Nothing was pasted.');
  const meaning = diagnose(parsed(error), { stage });
  if (json) print.json(meaning);
  else printMeaning(print, meaning);
}

function readPasted(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Paste the error, then press Enter and Ctrl+D:\n');
  return text(process.stdin);
}

/** JSON where it is some; else the text as it is, which `diagnose` reads as well. */
function parsed(pasted: string): unknown {
  try {
    const value: unknown = JSON.parse(pasted);
    return typeof value === 'object' && value !== null ? value : pasted;
  } catch {
    return pasted;
  }
}
