import { describe, expect, it } from '@jest/globals';
import { identityFromVariables } from './database-identity.js';

const MYSQL = {
  server_uuid: '5b1c0b5e-8a5c-11ef-9d3e-0242ac120002',
  server_id: '1',
  read_only: 'OFF',
  super_read_only: 'OFF',
  innodb_read_only: 'OFF',
};
const MARIADB = { server_id: '12', read_only: 'OFF', innodb_read_only: 'OFF', wsrep_on: 'OFF' };

describe('the identity of a MySQL or MariaDB server', () => {
  it.each([
    ['MySQL', MYSQL, MYSQL.server_uuid],
    [
      'MySQL that could be a member of a group and is none',
      { ...MYSQL, group_replication_group_name: '' },
      MYSQL.server_uuid,
    ],
    ['MariaDB', MARIADB, 'server_id 12'],
  ])('is what replication tells servers apart by: %s', (_server, variables, name) => {
    expect(identityFromVariables(new Map(Object.entries(variables)))).toEqual({ kind: 'known', name });
  });

  it.each([
    { ...MYSQL, read_only: 'ON' },
    { ...MYSQL, super_read_only: 'ON' },
    { ...MYSQL, innodb_read_only: 'ON' },
    { ...MARIADB, read_only: 'NO_LOCK_NO_ADMIN' },
  ])('is not known now of a server that accepts no writes: %j', (variables) => {
    expect(identityFromVariables(new Map(Object.entries(variables)))).toEqual({ kind: 'read_only' });
  });

  it.each([
    [{ ...MARIADB, wsrep_on: 'ON' }, 'cluster'],
    [{ ...MYSQL, group_replication_group_name: 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' }, 'cluster'],
    [{ ...MYSQL, group_replication_group_name: 'a', super_read_only: 'ON' }, 'cluster'],
    [{}, 'not_supported'],
  ])('can never be known: %j', (variables, obstacle) => {
    expect(identityFromVariables(new Map(Object.entries(variables)))).toEqual({
      kind: 'unknowable',
      obstacle,
    });
  });
});
