import { foreignAddresses, redirectTargets } from './address.matrix.js';
import type { Scene } from './origin.scene.js';
import { REDIRECTS } from './pointing.answers.js';
import { secretsIn } from './secret.traces.js';

/** The trap works: a client that asks whatever address it is given, and follows, walks into it with its tokens. */
export async function trustingClient({ proof, stage, foreign, ports }: Scene): Promise<void> {
  const { accessToken, refreshToken } = await stage.notion.grant();
  const send = async (address: string, init: RequestInit) =>
    fetch(new URL(address, stage.notion.url), init).then(
      (answer) => answer.arrayBuffer(),
      () => undefined,
    );
  let handedOver = 0;
  const look = () => {
    handedOver += secretsIn(foreign.bytes, [accessToken, refreshToken ?? accessToken]);
    foreign.forget();
  };
  const given = foreignAddresses(ports).filter((address) => address.endsWith('/v1/users/me'));
  for (const address of given) {
    await send(address, { headers: { authorization: `Bearer ${accessToken}` } });
    look();
  }
  const byAddress = handedOver;
  handedOver = 0;
  for (const status of REDIRECTS) {
    await stage.notion.fail(
      'token',
      { kind: 'redirect', status, location: redirectTargets(ports)[0]! },
      { times: 1 },
    );
    const body = JSON.stringify({ grant_type: 'refresh_token', refresh_token: refreshToken });
    await send('/v1/oauth/token', { method: 'POST', body });
    look();
  }
  const name = 'a client that trusts and follows';
  proof.figure({ figure: `${name}: tokens given away by address`, value: byAddress, bound: { atLeast: 1 } });
  proof.figure({
    figure: `${name}: tokens given away by redirect`,
    value: handedOver,
    bound: { atLeast: 1 },
  });
}
