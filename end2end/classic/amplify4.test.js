import * as client from 'aws-amplify';
import WebSocket from 'ws';
import { testOlderAmplify } from '../clients/older.js';

globalThis.WebSocket ??= WebSocket;
await testOlderAmplify('aws-amplify 4', client);
