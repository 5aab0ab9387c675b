#!/usr/bin/env node
import 'reflect-metadata';
import { CommanderError } from 'commander';
import { Secret } from '../domain/secret.js';
import { maskedText } from '../logging/masked-text.js';
import { EXIT_FAILED, EXIT_USAGE } from './exit-codes.js';
import { programFor } from './program.js';

try {
  await programFor(process.stdout).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
  // Messages of drivers may quote what they were given.
  const message = error instanceof Error ? maskedText(error.message) : new Secret('').toString();
  process.stderr.write(`${message}\n`);
  process.exit(EXIT_FAILED);
}
process.exit();
