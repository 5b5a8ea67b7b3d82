import { serveEngine } from '../engine-subject';

serveEngine({});
