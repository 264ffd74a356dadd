// The same names as properties of `require('@upwire/engine')`, and the same default. They come from there, and not from
// the modules below, so that the class has its properties however the package is loaded.
import type { IncomingMessage } from 'node:http';
import WebSocketDefault from './index.js';

export const {
  WebSocket,
  WebSocketServer,
  Server,
  createWebSocketStream,
  createPair,
  extension,
  subprotocol,
  PerMessageDeflate,
  Receiver,
  Sender,
  prepare,
  broadcast,
  PreparedMessage,
  MemoryBroker,
  Event,
  CloseEvent,
  ErrorEvent,
  MessageEvent,
} = WebSocketDefault;

export default WebSocketDefault;

export type WebSocket = WebSocketDefault.WebSocket;
export type WebSocketServer<
  Class extends typeof WebSocketDefault.WebSocket = typeof WebSocketDefault.WebSocket,
  Message extends typeof IncomingMessage = typeof IncomingMessage,
  Given = unknown,
> = WebSocketDefault.WebSocketServer<Class, Message, Given>;
export type Server<
  Class extends typeof WebSocketDefault.WebSocket = typeof WebSocketDefault.WebSocket,
  Message extends typeof IncomingMessage = typeof IncomingMessage,
  Given = unknown,
> = WebSocketDefault.Server<Class, Message, Given>;
export type PerMessageDeflate = WebSocketDefault.PerMessageDeflate;
export type Receiver = WebSocketDefault.Receiver;
export type Sender = WebSocketDefault.Sender;
export type Event = WebSocketDefault.Event;
export type CloseEvent = WebSocketDefault.CloseEvent;
export type ErrorEvent = WebSocketDefault.ErrorEvent;
export type MessageEvent = WebSocketDefault.MessageEvent;
export type AddressInfo = WebSocketDefault.AddressInfo;
export type BinaryType = WebSocketDefault.BinaryType;
export type BroadcastOptions = WebSocketDefault.BroadcastOptions;
export type Broker = WebSocketDefault.Broker;
export type BufferLike = WebSocketDefault.BufferLike;
export type CertMeta = WebSocketDefault.CertMeta;
export type ClientOptions = WebSocketDefault.ClientOptions;
export type CloseMessage = WebSocketDefault.CloseMessage;
export type CloseOptions = WebSocketDefault.CloseOptions;
export type Data = WebSocketDefault.Data;
export type ErrorMessage = WebSocketDefault.ErrorMessage;
export type EventListenerOptions = WebSocketDefault.EventListenerOptions;
export type FinishRequestCallback = WebSocketDefault.FinishRequestCallback;
export type FrameOptions = WebSocketDefault.FrameOptions;
export type MemoryBroker = WebSocketDefault.MemoryBroker;
export type PreparedMessage = WebSocketDefault.PreparedMessage;
export type PrepareData = WebSocketDefault.PrepareData;
export type PrepareOptions = WebSocketDefault.PrepareOptions;
export type OpenMessage = WebSocketDefault.OpenMessage;
export type PerMessageDeflateOptions = WebSocketDefault.PerMessageDeflateOptions;
export type PerMessageDeflateSettings = WebSocketDefault.PerMessageDeflateSettings;
export type RawData = WebSocketDefault.RawData;
export type ReceiverOptions = WebSocketDefault.ReceiverOptions;
export type RefuseMessage = WebSocketDefault.RefuseMessage;
export type SendOptions = WebSocketDefault.SendOptions;
export type ServerOptions<
  Class extends typeof WebSocketDefault.WebSocket = typeof WebSocketDefault.WebSocket,
  Message extends typeof IncomingMessage = typeof IncomingMessage,
  Decision extends WebSocketDefault.UpgradeDecision = WebSocketDefault.UpgradeDecision,
> = WebSocketDefault.ServerOptions<Class, Message, Decision>;
export type ServerStats = WebSocketDefault.ServerStats;
export type UpgradeAcceptance = WebSocketDefault.UpgradeAcceptance;
export type UpgradeDecision = WebSocketDefault.UpgradeDecision;
export type UpgradeRefusal = WebSocketDefault.UpgradeRefusal;
export type VerifyClientCallback = WebSocketDefault.VerifyClientCallback;
export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> =
  WebSocketDefault.VerifyClientCallbackAsync<Request>;
export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> =
  WebSocketDefault.VerifyClientCallbackSync<Request>;
export type VerifyClientInfo<Request extends IncomingMessage = IncomingMessage> =
  WebSocketDefault.VerifyClientInfo<Request>;
export type WebSocketEvents = WebSocketDefault.WebSocketEvents;
export type WebSocketServerEvents<Connection, Request> = WebSocketDefault.WebSocketServerEvents<
  Connection,
  Request
>;
export type WebSocketEventMap = WebSocketDefault.WebSocketEventMap;
export type WebSocketStreamOptions = WebSocketDefault.WebSocketStreamOptions;
export type CloseDetails = WebSocketDefault.CloseDetails;
export type PairOptions = WebSocketDefault.PairOptions;
export type ReadableChunk = WebSocketDefault.ReadableChunk;
export type WebSocketPair = WebSocketDefault.WebSocketPair;
export type WebSocketStreams = WebSocketDefault.WebSocketStreams;
export type WritableChunk = WebSocketDefault.WritableChunk;
