/** Why a device answers a request with an error: the response code and a diagnostic text (RFC 7252 s5.5.2). */
export class Refusal extends Error {
  constructor(
    /** In dotted form. */
    readonly code: '4.00' | '4.01' | '4.04' | '4.05' | '4.06' | '4.15' | '5.00',
    diagnostic = '',
  ) {
    super(diagnostic);
    this.name = 'Refusal';
  }
}
