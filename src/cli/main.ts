#!/usr/bin/env node
import 'reflect-metadata';
import { CommanderError } from 'commander';
import { Secret } from '../domain/secret.js';
import { NotionAuthorizationNotFoundError } from '../domain/errors.js';
import { maskedText } from '../logging/masked-text.js';
import { EXIT_FAILED, EXIT_USAGE } from './exit-codes.js';
import { programFor } from './program.js';

// `notion-auth list | head` closes the pipe when it has seen enough.
process.stdout.on('error', () => process.exit(0));

try {
  await programFor(process.stdout).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(EXIT_FAILED);
}
process.exit();

/** Messages of drivers may quote what they were given. */
function messageOf(error: unknown): string {
  if (error instanceof NotionAuthorizationNotFoundError) {
    return 'There is no such authorization: look at the id, at NOTION_CLIENT_ID, and at the database (notion-auth doctor).';
  }
  return error instanceof Error ? maskedText(error.message) : new Secret('').toString();
}
