import type { SecretStore } from '../fleet';

/** The server's own secrets in the memory of this process. */
export class MemorySecrets implements SecretStore {
  readonly #secrets = new Map<string, Buffer>();

  get(name: string): Buffer | undefined {
    return this.#secrets.get(name);
  }

  add(name: string, secret: Buffer): boolean {
    if (this.#secrets.has(name)) return false;
    this.#secrets.set(name, secret);
    return true;
  }
}
