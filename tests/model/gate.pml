/* gate.pml - pausing and starting connectors: a model for Spin.
 *
 * DESIGN
 * What is modelled, as the code does it:
 *   runtime/gate.h      the word: reasons, fetches in progress, WAITED; every
 *                       atomic operation on it is one step here
 *   runtime/control.c   the queue of transitions of a connector: submit, run_queue
 *                       under the connector's lock, the time limit
 *   runtime/input.c     the task: enter, fetch, hold for room, leave; who notifies it
 *   deployment_control.c  pauses and starts of the pipeline: one transition for each
 *                       connector, added to all queues at once, answered by the last
 *   clients             CLIENTS of them, each sends any request, waits for its answer
 *                       and sends the next, for ever (or REQUESTS times)
 *
 * Rows are not counted. `frozen` says that a pause was answered and no start
 * after it has begun: then none may move, which the fetch asserts.
 *
 * A step holds at most one operation on the gate. What a lock protects is done
 * in the same step as the operation before or after it, since nobody else can
 * tell: that keeps the number of states small and hides no interleaving.
 *
 * Variants: ROWS adds queues and backpressure, TIMEOUT the time limit of a pause.
 * BREAK=n breaks the protocol in one place; run.sh sees to it that each is caught. */

#ifndef CONNECTORS
#define CONNECTORS 2
#endif
#ifndef CLIENTS
#define CLIENTS 3
#endif
#ifndef BREAK
#define BREAK 0
#endif
#define ROOM 1 /* rows that fit a connector's queue to the circuit */

/* Reasons to hold. BACKPRESSURE stands for all that no client sets. */
#define USER 0
#define PIPELINE 1
#define BACKPRESSURE 2

/* One connector. `reasons`, `fetches` and `waited` are the gate's one word. */
typedef connector {
  bit reasons[3];
  byte fetches;
  bit waited;
  bit lock;       /* of its transitions */
  bit head_waits; /* the first transition met a fetch in progress */
  bit notified;   /* its task is queued to run */
  bit frozen[2];  /* the promise of an answered pause: by USER, by PIPELINE */
  bit last[2];    /* accepted last, hold or not: by USER, by PIPELINE */
#ifdef ROWS
  byte rows;      /* in its queue to the circuit */
#endif
}
connector at[CONNECTORS];

/* Transitions in the order they were accepted: hold or not, reason, who. */
chan queue[CONNECTORS] = [CLIENTS] of { bit, byte, byte };

byte waiting[CLIENTS];  /* connectors that have not answered the client's request */
bit pausing[CLIENTS];   /* it pauses the pipeline, and no start of the pipeline was accepted since */

/* Scratch inside of one step. */
hidden byte hold;
hidden byte reason, who;

#define held(c) (at[c].reasons[USER] || at[c].reasons[PIPELINE] || at[c].reasons[BACKPRESSURE])
#ifdef ROWS
#define full(c) (at[c].rows >= ROOM)
#else
#define full(c) false
#endif

/* Clears a reason, and notifies the task when that opened the gate. */
inline release(c, r) {
#if BREAK == 5
  at[c].reasons[USER] = 0; at[c].reasons[PIPELINE] = 0; /* reasons touch each other */
#endif
  if
  :: at[c].reasons[r] ->
    at[c].reasons[r] = 0;
#if BREAK != 8
    if
    :: !held(c) -> at[c].notified = 1
    :: else
    fi
#endif
  :: else
  fi
}

/* ---- transitions of a connector, control.c ----------------------------------- */

inline accept(c, h, r, w) {
  at[c].last[r] = h;
#if BREAK == 6 /* a start overtakes the pause before it */
  if
  :: !h && len(queue[c]) > 0 -> at[c].frozen[r] = 0; release(c, r)
  :: else -> waiting[w]++; queue[c]!h, r, w
  fi
#else
  waiting[w]++;
  queue[c]!h, r, w
#endif
}

inline accept_for_all(h, w) {
  accept(0, h, PIPELINE, w);
#if CONNECTORS > 1
  accept(1, h, PIPELINE, w);
#endif
  if
  :: h -> pausing[w] = 1
  :: else -> pausing[0] = 0;
#if CLIENTS > 1
    pausing[1] = 0;
#endif
#if CLIENTS > 2
    pausing[2] = 0
#endif
  fi
}

/* The first transition has become true, or its time is over. */
inline answer(c) {
  queue[c]?hold, reason, who;
  at[c].head_waits = 0;
#if BREAK == 10
  waiting[who] = 0; /* the first connector speaks for all */
#else
  waiting[who]--;
#endif
  if
  :: pausing[who] && waiting[who] == 0 ->
#ifndef TIMEOUT
    assert(at[0].frozen[PIPELINE] && at[0].fetches == 0);
    assert(at[CONNECTORS - 1].frozen[PIPELINE] && at[CONNECTORS - 1].fetches == 0);
#endif
    pausing[who] = 0
  :: else
  fi
}

/* It was a pause, and no fetch is in progress. */
inline answer_pause(c) {
  at[c].waited = 0;
  at[c].frozen[reason] = 1;
  answer(c)
}

/* What a thread that runs a queue does next. */
#define NOTHING 0 /* it has let go of the lock */
#define LOOK 1    /* lock held: look at the first transition */
#define WAIT 2    /* lock held: the first one met a fetch in progress, gate_wait */

inline go_on(c, next) {
  if
  :: empty(queue[c]) ->
    assert(at[c].reasons[USER] == at[c].last[USER]);
    assert(at[c].reasons[PIPELINE] == at[c].last[PIPELINE]);
    at[c].lock = 0;
    next = NOTHING
  :: nempty(queue[c]) -> next = LOOK
  fi
}

#if BREAK == 1
#define no_fetch(c) true /* answers while a fetch is in progress */
#else
#define no_fetch(c) (at[c].fetches == 0)
#endif

/* gate_release or gate_hold for the first transition. */
inline look(c, next) {
  d_step {
    if
    :: nempty(queue[c]) ->
      queue[c]?<hold, reason, who>;
      if
      :: !hold -> at[c].frozen[reason] = 0; release(c, reason); answer(c); go_on(c, next)
      :: else ->
        at[c].reasons[reason] = 1;
        if
        :: no_fetch(c) -> answer_pause(c); go_on(c, next)
        :: else -> next = WAIT
        fi
      fi
    :: empty(queue[c]) -> go_on(c, next)
    fi
  }
}

/* gate_wait: asks the fetch that is in progress to tell. */
inline wait(c, next) {
  d_step {
    queue[c]?<hold, reason, who>;
    at[c].waited = 1;
    if
#if BREAK != 4 /* does not look again */
    :: no_fetch(c) -> answer_pause(c); go_on(c, next)
#endif
    :: else -> at[c].head_waits = 1; at[c].lock = 0; next = NOTHING
    fi
  }
}

inline run_queue(c, next) {
  atomic { !at[c].lock -> at[c].lock = 1; look(c, next) }
  do
  :: next == LOOK -> look(c, next)
  :: next == WAIT -> wait(c, next)
  :: next == NOTHING -> break
  od
}

#ifdef TIMEOUT
#if BREAK == 9
#define may_strike(c) true /* strikes what has not begun */
#else
#define may_strike(c) at[c].head_waits
#endif

/* The time limit: a pause that waits is answered without being true; its reason
 * stays. It may strike at any moment. */
proctype watch(byte c) {
  byte next;
end:
  do
  :: d_step {
      !at[c].lock && len(queue[c]) > 0 && may_strike(c) -> answer(c)
    }
    run_queue(c, next)
  od
}
#endif

/* ---- the task of an input, input.c --------------------------------------------- */

#define no_promise_broken(c) assert(!at[c].frozen[USER] && !at[c].frozen[PIPELINE])

proctype input(byte c) {
  bit told;
  byte next;
end:
  do
#if BREAK == 2
  :: d_step { at[c].notified && !held(c) -> at[c].notified = 0 } /* looks, then enters */
    at[c].fetches++;
#else
  :: d_step { at[c].notified && !held(c) -> at[c].notified = 0; at[c].fetches++ }
#endif
#ifdef ROWS
    d_step {
      if
      :: !full(c) -> no_promise_broken(c); at[c].rows++
      :: else
      fi
    }
    if
    :: full(c) ->
      at[c].reasons[BACKPRESSURE] = 1;
#if BREAK != 7 /* does not look again */
      if
      :: d_step { !full(c) -> at[c].reasons[BACKPRESSURE] = 0 } /* it runs again anyway */
      :: full(c)
      fi
#endif
    :: !full(c)
    fi;
#endif
    d_step {
#ifndef ROWS
      no_promise_broken(c);
#endif
      at[c].fetches--;
#if BREAK != 3 /* tells nobody */
      told = (at[c].fetches == 0 && at[c].waited)
#endif
    }
    if
    :: told -> told = 0; run_queue(c, next)
    :: else
    fi;
    at[c].notified = 1
  :: d_step { at[c].notified && held(c) -> at[c].notified = 0 }
  od
}

/* ---- the circuit ------------------------------------------------------------- */

#ifdef ROWS
/* The pipeline's step takes rows out of a connector's queue and lifts backpressure. */
proctype circuit(byte c) {
end:
  do
  :: at[c].rows > 0 ->
    at[c].rows--;
    if
    :: at[c].reasons[BACKPRESSURE] ->
      if
      :: d_step { !full(c) -> release(c, BACKPRESSURE) }
      :: full(c)
      fi
    :: !at[c].reasons[BACKPRESSURE]
    fi
  od
}
#endif

/* ---- clients ----------------------------------------------------------------- */

#ifdef REQUESTS
#define may_ask (n < REQUESTS)
#define asks n++
#else
#define may_ask true
#define asks skip
#endif

/* Asks one connector, c, or all of them, from c = 0. */
proctype client(byte me) {
  bit all;
  byte c, n, next;
end:
  do
  :: if
    :: atomic { may_ask && !at[0].lock -> asks; accept(0, 1, USER, me) }
    :: atomic { may_ask && !at[0].lock -> asks; accept(0, 0, USER, me) }
#if CONNECTORS > 1
    :: atomic { may_ask && !at[1].lock -> asks; accept(1, 1, USER, me); c = 1 }
    :: atomic { may_ask && !at[1].lock -> asks; accept(1, 0, USER, me); c = 1 }
#endif
    :: atomic { may_ask && !at[0].lock && !at[CONNECTORS - 1].lock -> asks; accept_for_all(1, me); all = 1 }
    :: atomic { may_ask && !at[0].lock && !at[CONNECTORS - 1].lock -> asks; accept_for_all(0, me); all = 1 }
    fi;
    do
    :: run_queue(c, next);
      if
      :: all && c < CONNECTORS - 1 -> c++
      :: else -> all = 0; c = 0; break
      fi
    od;
    !waiting[me]
  od
}

/* Starts held or not, in any way that earlier requests may have left behind. */
inline begin(c, by_user, by_pipeline) {
  at[c].reasons[USER] = by_user;
  at[c].frozen[USER] = by_user;
  at[c].last[USER] = by_user;
  at[c].reasons[PIPELINE] = by_pipeline;
  at[c].frozen[PIPELINE] = by_pipeline;
  at[c].last[PIPELINE] = by_pipeline;
  at[c].notified = !held(c);
  run input(c);
#ifdef ROWS
  run circuit(c)
#endif
}

init {
  bit user, whole;
  atomic {
    if
    :: whole = 0
    :: whole = 1
    fi;
    if
    :: user = 0
    :: user = 1
    fi;
    begin(0, user, whole);
#if CONNECTORS > 1
    if
    :: user = 0
    :: user = 1
    fi;
    begin(1, user, whole);
#endif
    user = 0;
    whole = 0;
    run client(0);
#if CLIENTS > 1
    run client(1);
#endif
#if CLIENTS > 2
    run client(2);
#endif
#ifdef TIMEOUT
    run watch(0);
#endif
  }
}

/* Every request that was accepted is answered. Clients are alike: one stands for all. */
ltl answered { [] (waiting[0] -> <> !waiting[0]) }

/* An input that nothing holds goes on. */
ltl goes_on { [] (!held(0) -> <> (at[0].fetches > 0 || held(0))) }

/* Backpressure is lifted. */
ltl lifted { [] (at[0].reasons[BACKPRESSURE] -> <> !at[0].reasons[BACKPRESSURE]) }
