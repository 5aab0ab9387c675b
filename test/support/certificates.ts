import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverUser } from '../../proofs/harness/server.program.js';

/** A private certificate authority, a certificate of it for localhost and 127.0.0.1, and an authority of somebody else. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'notion-certificates-'));

  /** @param user - System account of the server that reads the private key. */
  constructor(user: string) {
    this.authority('ca', 'Case Authority');
    this.authority('other', 'Another Authority');
    writeFileSync(this.file('san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
    this.openssl(
      'req -newkey rsa:2048 -nodes -subj /CN=database -keyout server.key -out server.csr'.split(' '),
    );
    this.openssl(
      'x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem'.split(
        ' ',
      ),
    );
    const { uid, gid } = serverUser(user);
    if (uid === undefined || gid === undefined) return;
    for (const path of [this.folder, this.file('server.key'), this.file('server.pem'), this.file('ca.pem')])
      chownSync(path, uid, gid);
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  text(name: string): string {
    return readFileSync(this.file(name), 'utf8');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private authority(name: string, commonName: string): void {
    this.openssl([
      ...`req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ${name}.key -out ${name}.pem`.split(' '),
      '-subj',
      `/CN=${commonName}`,
    ]);
  }

  private openssl(words: readonly string[]): void {
    execFileSync('openssl', words, { cwd: this.folder, stdio: 'ignore' });
  }
}
