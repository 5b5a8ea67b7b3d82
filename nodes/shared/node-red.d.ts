/** What `@types/node-red` (of 2024) lacks and this package uses. */
import type { EventEmitter } from 'node:events';

declare module '@node-red/registry' {
  interface NodeMessageParts {
    /** How the join node puts the sequence together: `array`, `object`, `string` or `buffer`. */
    type?: string;
    /** The parts of the sequence that this one is nested in. */
    parts?: NodeMessageParts;
  }
}

/** The runtime's events that the engine's adoption across a deploy stands on. */
export interface RuntimeEvents extends EventEmitter {
  /** Nodes are about to be closed. */
  on(event: 'flows:stopping' | 'flows:started', listener: () => void): this;
  on(event: 'runtime-event', listener: (event: RuntimeStateEvent) => void): this;
}

export interface RuntimeStateEvent {
  id: string;
  payload?: {
    state?: 'start' | 'stop' | 'safe';
    /** True when the flows are stopped only to be started again. */
    deploy?: boolean;
  };
}
