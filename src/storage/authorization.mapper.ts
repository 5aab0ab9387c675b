import type { Authorization } from '../domain/authorization.js';
import type { AuthorizationEntity } from './authorization.entity.js';

export function toAuthorization(row: AuthorizationEntity, hasRefreshToken: boolean): Authorization {
  return {
    id: row.id,
    clientId: row.clientId,
    botId: row.botId,
    workspaceId: row.workspaceId,
    workspaceName: row.workspaceName,
    workspaceIcon: row.workspaceIcon,
    ownerKind: row.ownerKind,
    ownerUserId: row.ownerUserId,
    duplicatedTemplateId: row.duplicatedTemplateId,
    redirectUri: row.redirectUri,
    scopes: row.scopes,
    status: row.status,
    reason: row.reason,
    statusSince: new Date(row.statusSince),
    version: row.version,
    hasRefreshToken,
    pairStoredAt: new Date(row.pairStoredAt),
    accessTokenExpiresAt: instant(row.accessTokenExpiresAt),
    lastAttemptAt: instant(row.lastAttemptAt),
    lastSuccessAt: instant(row.lastSuccessAt),
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
  };
}

function instant(epochMs: number | null): Date | null {
  return epochMs === null ? null : new Date(epochMs);
}
