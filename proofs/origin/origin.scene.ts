import type { Proof } from '../harness/proof.js';
import type { Stage } from '../harness/stage.js';
import type { TwoPorts } from './address.matrix.js';
import type { ForeignOrigin } from './foreign.origin.js';
import type { Ending, OriginFaces } from './origin.faces.js';

/** How often everything is asked. */
export const ROUNDS = { short: 1, long: 60 };

/** What a part of the proof is played on. */
export interface Scene {
  readonly proof: Proof;
  readonly stage: Stage;
  readonly foreign: ForeignOrigin;
  readonly faces: OriginFaces;
  readonly ports: TwoPorts;
}

export function tellEndings(
  scene: Scene,
  name: string,
  endings: readonly Ending[],
  expected: Partial<Record<Ending, number>>,
): void {
  for (const ending of ['refused', 'answered', 'odd'] as const) {
    const value = endings.filter((met) => met === ending).length;
    const equals = expected[ending];
    scene.proof.figure({
      figure: `${name}: ${ending}`,
      value,
      bound: equals === undefined ? undefined : { equals },
    });
  }
  tellForeign(scene, name);
}

export function tellForeign({ proof, foreign }: Scene, name: string): void {
  const { connections, bytes } = foreign;
  proof.figure({
    figure: `${name}: connections to the other origin`,
    value: connections,
    bound: { equals: 0 },
  });
  proof.figure({ figure: `${name}: bytes to the other origin`, value: bytes.length, bound: { equals: 0 } });
}
