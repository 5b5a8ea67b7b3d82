import type { KeyObject, X509Certificate } from 'node:crypto';
import type { DtlsCredentials } from '../dtls';
import type { DeviceRecordStore, SecretStore } from '../fleet';
import { keptServerKey, publicKeyOf, type ServerCredentials } from './server-credentials';

export interface DeviceCredentialsContext {
  readonly server: ServerCredentials;
  readonly records: DeviceRecordStore;
  readonly secrets: SecretStore;
  /** Whether anything is known of an endpoint. */
  readonly isKnown: (endpoint: string) => boolean;
}

/** What DTLS asks: whom the server is, and what the device records say of a peer. Asked anew at each handshake. */
export class DeviceCredentials implements DtlsCredentials {
  readonly serverCertificateChain: readonly X509Certificate[];
  readonly trustAnchors: readonly X509Certificate[];
  #serverKey: KeyObject | undefined;
  readonly #context: DeviceCredentialsContext;

  constructor(context: DeviceCredentialsContext) {
    this.#context = context;
    this.#serverKey = context.server.key;
    this.serverCertificateChain = context.server.chain;
    this.trustAnchors = context.server.trustAnchors;
  }

  /** Takes the server's key from the store when none was given. @throws {StoreError} */
  async takeUp(): Promise<void> {
    this.#serverKey ??= await keptServerKey(this.#context.secrets, this.#context.server.formerKey);
  }

  get serverKey(): KeyObject | undefined {
    return this.#serverKey;
  }

  /** Base64 of the SubjectPublicKeyInfo in DER; `undefined` before there is a key. */
  get serverPublicKey(): string | undefined {
    return this.#serverKey === undefined ? undefined : publicKeyOf(this.#serverKey);
  }

  async psk(identity: string): Promise<Buffer | undefined> {
    const security = (await this.#context.records.byPskIdentity(identity))?.security;
    return security?.mode === 'psk' ? security.key : undefined;
  }

  async verifyRawPublicKey(subjectPublicKeyInfo: Buffer): Promise<string | undefined> {
    return (await this.#context.records.byPublicKey(subjectPublicKeyInfo))?.endpoint;
  }

  /**
   * A name that a record says, else one that a device is known by, else the first: the server does not know yet which
   * endpoint the device will register as.
   */
  async verifyCertificate(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) if ((await this.#context.records.byCertificateName(name)) !== undefined) return name;
    return names.find(this.#context.isKnown) ?? names[0];
  }
}
