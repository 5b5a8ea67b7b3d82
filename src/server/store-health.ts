import type { StoreError } from '../errors';

/** How the store is. Whoever uses the store says what he meets. */
export interface StoreHealth {
  /** Whether all that the store held at the start was taken up; until then no device is served. */
  readonly isOpen: boolean;
  /** What ails the store. */
  readonly error: StoreError | undefined;
  /** Resolves when the store is open or in trouble, and in any case after so long, ms. */
  opening(patience: number): Promise<void>;
  failed(error: StoreError): void;
  /** Something was written durably. */
  succeeded(): void;
}
