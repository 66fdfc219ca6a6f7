import type { Clock } from '../base/clock.ts';
import { ensureAuthority, type KeyPair } from './authority.ts';
import { ensurePrivateDirectory } from './files.ts';
import { ensureLeaf, type LeafProfile } from './leaf.ts';

/** A certificate that nobody has a reason to trust: its authority lies beside it in `directory` and signs nothing else. */
export async function ensureLocalLeaf(directory: string, profile: LeafProfile, clock: Clock): Promise<KeyPair> {
  await ensurePrivateDirectory(directory);
  const authority = await ensureAuthority(directory, `${profile.name}-ca`, clock);
  return ensureLeaf(directory, authority, profile, clock);
}
