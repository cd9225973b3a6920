import * as client from 'aws-amplify';
import WebSocket from 'ws';
import { testOlderAmplify } from '../older.js';

globalThis.WebSocket ??= WebSocket;
await testOlderAmplify('aws-amplify 3', client);
