import { createSecretKey, randomBytes } from 'node:crypto';
import { DerivedKeys, MOST_SEALS_PER_KEY, SALT_BYTES } from './derived-keys.js';

const RING_KEY = createSecretKey(randomBytes(32));

describe('the keys that a key of the ring gives', () => {
  it('E8: are used for 2^20 envelopes each, and never for 2^31', () => {
    const keys = new DerivedKeys(RING_KEY);
    const uses = new Map<string, number>();
    for (let seal = 0; seal < 2 * MOST_SEALS_PER_KEY + 1; seal++) {
      const salt = keys.forSealing().salt.toString('hex');
      uses.set(salt, (uses.get(salt) ?? 0) + 1);
    }
    expect([...uses.values()]).toEqual([MOST_SEALS_PER_KEY, MOST_SEALS_PER_KEY, 1]);
    expect(MOST_SEALS_PER_KEY).toBeLessThan(2 ** 31);
  });

  it('E8: differ between two processes with the same key of the ring, and open for both', () => {
    const [here, there] = [new DerivedKeys(RING_KEY), new DerivedKeys(RING_KEY)];
    const [own, foreign] = [here.forSealing(), there.forSealing()];
    expect(own.salt).toHaveLength(SALT_BYTES);
    expect(own.salt.equals(foreign.salt)).toBe(false);
    expect(own.key.equals(foreign.key)).toBe(false);
    expect(here.forSalt(foreign.salt).equals(foreign.key)).toBe(true);
    expect(own.key.equals(RING_KEY)).toBe(false);
  });

  it('are the same again when more salts were met than are kept', () => {
    const keys = new DerivedKeys(RING_KEY);
    const { salt, key } = keys.forSealing();
    for (let other = 0; other < 1_500; other++) keys.forSalt(randomBytes(SALT_BYTES));
    expect(keys.forSalt(salt).equals(key)).toBe(true);
  });
});
