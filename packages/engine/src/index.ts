import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AddressInfo as AddressOfServer } from 'node:net';
import type {
  PrepareData as DataToPrepare,
  BroadcastOptions as OptionsOfBroadcast,
  PrepareOptions as OptionsOfPrepare,
} from './broadcast';
import { broadcast, prepare } from './broadcast';
import type {
  CertMeta as CertificateOrKey,
  ClientOptions as OptionsOfClient,
} from './client-options';
import type { CloseOptions as OptionsOfClose } from './closing';
import type { ReceiverOptions as OptionsOfReceiver } from './compat/receiver';
import { Receiver as ReceiverClass } from './compat/receiver';
import type { FrameOptions as OptionsOfFrame } from './compat/sender';
import { Sender as SenderClass } from './compat/sender';
import type { PerMessageDeflateOptions as OptionsOfDeflate } from './deflate/options';
import type { EventListenerOptions as OptionsOfListener } from './event-target';
import {
  CloseEvent as CloseEventClass,
  ErrorEvent as ErrorEventClass,
  MessageEvent as MessageEventClass,
  WebSocketEvent as WebSocketEventClass,
} from './event-target';
import type {
  CloseEvent as CloseEventSeen,
  ErrorEvent as ErrorEventSeen,
  WebSocketEventMap as EventMap,
  WebSocketServerEvents as EventsOfServer,
  WebSocketEvents as EventsOfWebSocket,
  MessageEvent as MessageEventSeen,
  WebSocketEvent as WebSocketEventSeen,
} from './events';
import type {
  UpgradeAcceptance as AcceptanceOnUpgrade,
  UpgradeDecision as DecisionOnUpgrade,
  UpgradeRefusal as RefusalOnUpgrade,
} from './handshake/decision';
import { formatExtensions, parseExtensions } from './handshake/extensions';
import { parseSubprotocols } from './handshake/subprotocols';
import type {
  CloseMessage as CloseObserved,
  ErrorMessage as ErrorObserved,
  OpenMessage as OpenObserved,
  RefuseMessage as RefusalObserved,
} from './observe';
import type { PairOptions as OptionsOfPair, WebSocketPair as PairOfWebSockets } from './pair';
import { createPair } from './pair';
import type {
  BinaryType as BinaryTypeName,
  Data as DataOfMessage,
  RawData as RawDataOfMessage,
  SendData,
} from './payload';
import type { PerMessageDeflateSettings as SettingsOfDeflate } from './per-message-deflate';
import { PerMessageDeflate as PerMessageDeflateClass } from './per-message-deflate';
import type { CloseDetails as DetailsOfClose } from './promises';
import { PreparedMessage as PreparedMessageClass } from './protocol/prepared';
import type { SendOptions as OptionsOfSend } from './sending';
import { WebSocketServer as ServerClass } from './server';
import type {
  VerifyClientCallbackAsync as AsyncVerifyClient,
  VerifyClientCallback as CallbackOfVerifyClient,
  GivenBy,
  VerifyClientInfo as InfoOfVerifyClient,
  ServerOptions as OptionsOfServer,
  VerifyClientCallbackSync as SyncVerifyClient,
} from './server-options';
import type { WebSocketStreamOptions as OptionsOfStream } from './stream';
import { createWebSocketStream as createStream } from './stream';
import type { ServerStats as StatsOfServer } from './tally';
import type { Broker as TopicBroker } from './topics/broker';
import { MemoryBroker as MemoryBrokerClass } from './topics/memory-broker';
import type {
  ReadableChunk as ChunkRead,
  WritableChunk as ChunkToWrite,
  WebSocketStreams as StreamsOfWebSocket,
} from './web-streams';
import { WebSocket as WebSocketClass } from './websocket';

/** The class of servers, whose WebSockets have the type of data that its `onUpgrade` gives them. */
type ServerConstructor = Pick<typeof ServerClass, keyof typeof ServerClass> &
  (new <
    Class extends typeof WebSocketClass = typeof WebSocketClass,
    Message extends typeof IncomingMessage = typeof IncomingMessage,
    Decision extends DecisionOnUpgrade = DecisionOnUpgrade,
  >(
    options?: OptionsOfServer<Class, Message, Decision>,
    callback?: () => void,
  ) => ServerClass<Class, Message, GivenBy<Decision>>);

const ServerValue: ServerConstructor = ServerClass;

/** What `require('@upwire/engine')` is: the class, with everything else as its properties, as in `ws`. */
const statics = {
  WebSocket: WebSocketClass,
  WebSocketServer: ServerValue,
  Server: ServerValue,
  createWebSocketStream: createStream,
  /** Reads and writes `Sec-WebSocket-Extensions`. */
  extension: { parse: parseExtensions, format: formatExtensions },
  /** Reads `Sec-WebSocket-Protocol`. */
  subprotocol: { parse: parseSubprotocols },
  PerMessageDeflate: PerMessageDeflateClass,
  Receiver: ReceiverClass,
  Sender: SenderClass,
  prepare,
  broadcast,
  createPair,
  PreparedMessage: PreparedMessageClass,
  MemoryBroker: MemoryBrokerClass,
  Event: WebSocketEventClass,
  CloseEvent: CloseEventClass,
  ErrorEvent: ErrorEventClass,
  MessageEvent: MessageEventClass,
};

const WebSocket: typeof WebSocketClass & typeof statics = Object.assign(WebSocketClass, statics);

type WebSocket = WebSocketClass;

// Types under the names that code written for `ws` imports.
declare namespace WebSocket {
  export type WebSocket = WebSocketClass;
  export type WebSocketServer<
    Class extends typeof WebSocketClass = typeof WebSocketClass,
    Message extends typeof IncomingMessage = typeof IncomingMessage,
    Given = unknown,
  > = ServerClass<Class, Message, Given>;
  export type Server<
    Class extends typeof WebSocketClass = typeof WebSocketClass,
    Message extends typeof IncomingMessage = typeof IncomingMessage,
    Given = unknown,
  > = ServerClass<Class, Message, Given>;
  export type PerMessageDeflate = PerMessageDeflateClass;
  export type Receiver = ReceiverClass;
  export type Sender = SenderClass;
  export type Event = WebSocketEventSeen;
  export type CloseEvent = CloseEventSeen;
  export type ErrorEvent = ErrorEventSeen;
  export type MessageEvent = MessageEventSeen;
  export type WebSocketEventMap = EventMap;
  export type ErrorMessage = ErrorObserved;
  export type EventListenerOptions = OptionsOfListener;
  export type AddressInfo = AddressOfServer;
  export type BinaryType = BinaryTypeName;
  export type BroadcastOptions = OptionsOfBroadcast;
  export type Broker = TopicBroker;
  export type BufferLike = SendData;
  export type CertMeta = CertificateOrKey;
  export type ClientOptions = OptionsOfClient;
  export type CloseMessage = CloseObserved;
  export type CloseDetails = DetailsOfClose;
  export type CloseOptions = OptionsOfClose;
  export type Data = DataOfMessage;
  export type FinishRequestCallback = (request: ClientRequest, websocket: WebSocketClass) => void;
  export type FrameOptions = OptionsOfFrame;
  export type MemoryBroker = MemoryBrokerClass;
  export type PairOptions = OptionsOfPair;
  export type PreparedMessage = PreparedMessageClass;
  export type PrepareData = DataToPrepare;
  export type PrepareOptions = OptionsOfPrepare;
  export type OpenMessage = OpenObserved;
  export type PerMessageDeflateOptions = OptionsOfDeflate;
  export type PerMessageDeflateSettings = SettingsOfDeflate;
  export type RawData = RawDataOfMessage;
  export type ReadableChunk = ChunkRead;
  export type ReceiverOptions = OptionsOfReceiver;
  export type RefuseMessage = RefusalObserved;
  export type SendOptions = OptionsOfSend;
  export type ServerOptions<
    Class extends typeof WebSocketClass = typeof WebSocketClass,
    Message extends typeof IncomingMessage = typeof IncomingMessage,
    Decision extends DecisionOnUpgrade = DecisionOnUpgrade,
  > = OptionsOfServer<Class, Message, Decision>;
  export type ServerStats = StatsOfServer;
  export type UpgradeAcceptance = AcceptanceOnUpgrade;
  export type UpgradeDecision = DecisionOnUpgrade;
  export type UpgradeRefusal = RefusalOnUpgrade;
  export type VerifyClientCallback = CallbackOfVerifyClient;
  export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> =
    AsyncVerifyClient<Request>;
  export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> =
    SyncVerifyClient<Request>;
  export type VerifyClientInfo<Request extends IncomingMessage = IncomingMessage> =
    InfoOfVerifyClient<Request>;
  export type WebSocketEvents = EventsOfWebSocket;
  export type WebSocketServerEvents<Connection, Request> = EventsOfServer<Connection, Request>;
  export type WebSocketPair = PairOfWebSockets;
  export type WebSocketStreamOptions = OptionsOfStream;
  export type WebSocketStreams = StreamsOfWebSocket;
  export type WritableChunk = ChunkToWrite;
}

export = WebSocket;
