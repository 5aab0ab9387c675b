/**
 * The guards of the protocol, by the names they have in the code too. Each is one condition that must not be lost in
 * a later change: the search shows a counterexample for every one that is taken away.
 */
export interface ProtocolGuards {
  /**
   * R5. After any wait, send only while the rest of the own lease outlasts a request; else give the claim back.
   * Code: `NotionRefreshService.spend` (`sendBeforeMs`).
   */
  selfFence: boolean;
  /**
   * §7.3, R5. `leaseMs ≥ requestTimeoutMs + leaseMarginMs`, checked at startup, so that no claim can be taken over
   * while its request may still be processed. Code: `checkRefreshTimes`.
   */
  leaseOutlivesRequest: boolean;
  /**
   * R8. An answer that arrived in time is read, however late the process comes to it.
   * Code: `OAuthTransport.startDeadline`.
   */
  twoStepDeadline: boolean;
  /** R10. The answer goes to the local journal before anything that may take long. Code: before `storePair`. */
  journalBeforeCommit: boolean;
  /** R11. T4 asks for the spent version and for nothing else: not for the attempt, not for the status. Code: `storePair`. */
  lateStore: boolean;
  /** T4. The spent version must still stand. Code: the `WHERE` of `storePair`. */
  compareSpentVersion: boolean;
  /** T5, T6, T9, T10. A verdict counts only for the attempt that reached it. Code: the `WHERE` of `settle`. */
  settleTestsAttempt: boolean;
  /**
   * T7 to T10. A taken-over claim sends only when introspection calls the token active or the quarantine is over.
   * Code: `UnknownOutcomeRecovery.resolve`.
   */
  introspectBeforeReplay: boolean;
  /**
   * R14. The quarantine outlives the longest pause of a living process that still has the answer.
   * Code: `quarantineMs` in `UnknownOutcomeRecovery`.
   */
  quarantineOutlivesPause: boolean;
  /** R14. The quarantine outlives the restart of a crashed process, which may bring its journal. Code: `restartGraceMs`. */
  restartGrace: boolean;
  /**
   * R14. The quarantine counts from the last attempt that may have sent, not from the first that is unresolved: a
   * replay is itself an attempt whose answer somebody may hold. Code: `unresolvedSince` in the claim.
   */
  quarantineFromLastSend: boolean;
  /**
   * T2, T3. Handing a claim back ends the own attempt, not the unresolved one it had taken over.
   * Code: `handBack` in the storage.
   */
  releaseKeepsUnresolved: boolean;
  /** R19, T11. A refresh that began before the person connected again finds its version gone. Code: `connect`. */
  reconnectBumpsVersion: boolean;
  /** R19, T12. A refresh that began before a disconnect finds its version gone. Code: `disconnect`. */
  disconnectBumpsVersion: boolean;
  /**
   * T11, T12. The bump outranks every version ever given out, also those a failover has forgotten; `version + 1` on
   * a row that went back would be a version that somebody else holds with another meaning. Code: `connect`, `disconnect`.
   */
  bumpOutranksForgotten: boolean;
  /** R19. A pair that comes after a disconnect is revoked at Notion. Code: `NotionRefreshService.dropLatePair`. */
  revokeLatePair: boolean;
  /** T13, §7.7. Whoever holds a newer pair than the row puts it back. Code: the retained pairs. */
  rollForward: boolean;
  /** T13. What the person did is retained and journalled as pairs are. Code: `connect`, `disconnect`. */
  retainUserChanges: boolean;
  /** R18. After its connections were lost a process claims nothing until holders of newer pairs have rolled forward. */
  holdClaimsAfterMassLoss: boolean;
  /** R18. A process that has just started cannot know of a failover, so it holds as well. */
  holdClaimsAfterStart: boolean;
  /**
   * R18. The hold lasts at least `leaseMs`: the failover may have forgotten a claim whose holder may still send, or
   * whose request is still on its way.
   */
  holdOutlivesLease: boolean;
  /** R18. The hold lasts at least `restartGraceMs`: the newer pair may be in the journal of a crashed process. */
  holdOutlivesRestart: boolean;
}

export type GuardName = keyof ProtocolGuards;

export const ALL_GUARDS: Readonly<ProtocolGuards> = {
  selfFence: true,
  leaseOutlivesRequest: true,
  twoStepDeadline: true,
  journalBeforeCommit: true,
  lateStore: true,
  compareSpentVersion: true,
  settleTestsAttempt: true,
  introspectBeforeReplay: true,
  quarantineOutlivesPause: true,
  restartGrace: true,
  quarantineFromLastSend: true,
  releaseKeepsUnresolved: true,
  reconnectBumpsVersion: true,
  disconnectBumpsVersion: true,
  bumpOutranksForgotten: true,
  revokeLatePair: true,
  rollForward: true,
  retainUserChanges: true,
  holdClaimsAfterMassLoss: true,
  holdClaimsAfterStart: true,
  holdOutlivesLease: true,
  holdOutlivesRestart: true,
};

export function without(name: GuardName): Readonly<ProtocolGuards> {
  return { ...ALL_GUARDS, [name]: false };
}
