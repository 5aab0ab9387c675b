import type { QueryRunner } from 'typeorm';

/** Ids, hashes and owners are compared byte for byte: no case folding, and no padding with blanks. */
export async function binaryCollation(runner: QueryRunner): Promise<string> {
  const [{ version }] = (await runner.query('SELECT VERSION() AS version')) as [{ version: string }];
  return version.includes('MariaDB') ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}
