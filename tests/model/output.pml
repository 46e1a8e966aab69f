/* output.pml - an output, its queue and its pipeline: a model for Spin.
 *
 * DESIGN
 * gate.pml models how pauses and starts are answered, with all their races; here is
 * what an output does besides: that its pipeline waits and is woken, that a paused
 * output is given more, that what finds no slot is placed, and the detour of the spill.
 * As the code does it:
 *   runtime/output.c        the task: enter, write, count, tell of room, leave
 *   runtime/output_offer.c  the pipeline's side: offer, accept, place what waits
 *   runtime/deployment_step.c  accepts: look, set the flag, look again
 *   runtime/spill.c         (SPILL) the list, the files, who is the queue's producer
 *   a client                pauses and starts, any number up to REQUESTS; then it
 *                           starts for good, or (STAYS) leaves the output paused
 *
 * Rows are numbered: what is written must be the next one. A step holds at most one
 * operation on shared words; what a lock protects is one step. BREAK=n breaks the
 * protocol in one place; run.sh sees to it that each is caught. */

#ifndef ROWS
#define ROWS 5
#endif
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef BREAK
#define BREAK 0
#endif
#define SLOTS 2  /* of the queue */
#define NORMAL 2 /* rows in hand at which an output that writes has its pipeline wait */
#define BOUND 4  /* and one that is paused */

chan queue = [SLOTS] of { byte };  /* pipeline (or spill) to output */
chan list = [ROWS] of { byte };    /* what waits: for a slot, or with SPILL for the spill */
byte in_hand;                      /* counted: given and not yet written */
byte given, written;               /* rows */

#ifdef SPILL
chan files = [ROWS] of { byte };
bit spilling, spill_notified;
#endif

/* The gate of the output. */
bit paused, waited, frozen;
byte writes;
/* Tasks that are queued to run. */
bit output_notified, pipeline_notified;
bit pipeline_waits;
bit catches_up; /* the ceiling */

#define deep (in_hand >= NORMAL)

/* ---- the output ---------------------------------------------------------------- */

inline told_hold() { /* a pause is true */
  frozen = 1;
#if BREAK != 1 /* the pipeline is not told */
  if
  :: pipeline_waits -> pipeline_notified = 1
  :: else
  fi
#endif
}

proctype output() {
  byte row;
end:
  do
#if BREAK == 3
  :: d_step { output_notified && !paused -> output_notified = 0 } /* looks, then enters */
    writes++;
#else
  :: d_step { output_notified && !paused -> output_notified = 0; writes++ }
#endif
    do
    :: queue?row ->
      d_step { assert(!frozen); assert(row == written); written++; in_hand-- }
#if defined(SPILL) && BREAK != 6 /* the spill is not told */
      if
      :: spilling -> spill_notified = 1
      :: else
      fi;
#endif
      if
#if BREAK == 2
      :: pipeline_waits && catches_up -> pipeline_notified = 1 /* only for those that catch up */
#else
      :: pipeline_waits -> pipeline_notified = 1
#endif
      :: else
      fi
    :: len(queue) == 0 -> break
    :: paused -> output_notified = 1; break /* its quantum may end at any row: here where it matters */
    od;
    skip;
    d_step {
      writes--;
      if
      :: writes == 0 && waited -> waited = 0; told_hold()
      :: else
      fi
    }
  :: d_step { output_notified && paused -> output_notified = 0 }
  od
}

/* ---- the pipeline --------------------------------------------------------------- */

#ifndef SPILL

/* What waits gets slots. */
inline place() {
  do
  :: d_step { len(list) > 0 && len(queue) < SLOTS -> list?row; queue!row }
    output_notified = 1
  :: len(list) == 0 || len(queue) == SLOTS -> break
  od
}

/* output_accepts: `ok` says whether it takes more. */
inline look() {
  place();
  skip;
  d_step {
    if
    :: paused -> catches_up = 1
    :: !paused && !deep && len(list) == 0 -> catches_up = 0
    :: !paused && (deep || len(list) > 0)
    fi;
    if
    :: in_hand >= BOUND -> ok = 0
    :: in_hand < BOUND && catches_up -> ok = 1
    :: in_hand < BOUND && !catches_up -> ok = (!deep && len(list) == 0)
    fi
  }
}

inline accepts() {
  look();
  if
#if BREAK == 5
  :: !ok -> /* what waits for slots is forgotten once it accepts */
#else
  :: !ok || len(list) > 0 ->
#endif
    pipeline_waits = 1;
#if BREAK != 4 /* does not look again */
    look()
#else
    skip
#endif
#if BREAK == 5
  :: ok
#else
  :: ok && len(list) == 0
#endif
  fi;
  if
#if BREAK == 5
  :: ok -> pipeline_waits = 0
  :: !ok
#else
  :: ok && len(list) == 0 -> pipeline_waits = 0
  :: !ok || len(list) > 0
#endif
  fi
}

inline offer() {
  d_step {
    in_hand++;
    if
    :: len(list) == 0 && len(queue) < SLOTS -> queue!given
    :: len(list) > 0 || len(queue) == SLOTS -> list!given
    fi;
    given++
  }
  output_notified = 1
}

#else

/* ---- the spill -------------------------------------------------------------------- */

#define HALF 1  /* rows in the queue at which the spill is given the next */
#define LISTED 1 /* rows in the list at which the pipeline waits */
#define has_room (len(queue) < HALF)

inline into_queue() {
  assert(len(queue) < SLOTS);
  queue!row;
  output_notified = 1
}

inline taken_from_list() {
  if
  :: pipeline_waits -> pipeline_notified = 1
  :: else
  fi
}

proctype spill() {
  byte row;
  bit none;
end:
  do
  :: d_step { spill_notified -> spill_notified = 0 }
    do
    :: !spilling -> break
    :: spilling && has_room && len(files) > 0 -> files?row; into_queue()
    :: spilling && has_room && len(files) == 0 ->
#if BREAK == 7
      none = (len(list) == 0); /* looks, and lets go of the lock */
      if
      :: none -> spilling = 0; break
      :: !none -> list?row; into_queue(); taken_from_list()
      fi
#else
      d_step { /* under the lock */
        none = (len(list) == 0);
        if
        :: none -> spilling = 0
        :: !none -> list?row
        fi
      }
      if
      :: none -> break
      :: !none -> into_queue(); taken_from_list()
      fi
#endif
    :: spilling && !has_room && len(list) > 0 -> d_step { list?row; files!row }
      taken_from_list()
    :: spilling && !has_room && len(list) == 0 -> break
    od
  od
}

inline accepts() {
  ok = (!spilling || len(list) < LISTED);
  if
  :: !ok -> pipeline_waits = 1;
#if BREAK != 4
    ok = (!spilling || len(list) < LISTED)
#else
    skip
#endif
  :: ok
  fi;
  if
  :: ok -> pipeline_waits = 0
  :: !ok
  fi
}

inline offer() {
  in_hand++;
  if
#if BREAK == 8
  :: has_room -> queue!given; output_notified = 1 /* past what is spilled */
  :: !has_room -> d_step { list!given; spilling = 1 }
#else
  :: !spilling && has_room -> queue!given; output_notified = 1
  :: spilling || !has_room -> d_step { list!given; spilling = 1 }
#endif
    spill_notified = 1
  fi;
  given++
}

#endif

proctype pipeline() {
  byte row;
  bit ok;
end:
  do
  :: d_step { pipeline_notified -> pipeline_notified = 0 }
    accepts();
    do
    :: ok && given < ROWS -> offer(); accepts()
    :: !ok || given == ROWS -> break
    od
  od
}

/* ---- the client ------------------------------------------------------------------- */

/* Each request is answered before the next; gate.pml knows of more. */
proctype client() {
  byte n;
  do
  :: n < REQUESTS ->
    n++;
    paused = 1;
    d_step {
      if
      :: writes == 0 -> told_hold()
      :: else -> waited = 1
      fi
    }
    frozen;
    d_step { frozen = 0; paused = 0; output_notified = 1 }
  :: break
  od;
#ifdef STAYS
  paused = 1;
  d_step {
    if
    :: writes == 0 -> told_hold()
    :: else -> waited = 1
    fi
  }
#endif
}

init {
  atomic {
    pipeline_notified = 1;
    run output();
    run pipeline();
#ifdef SPILL
    run spill();
#endif
    run client()
  }
}

/* All that is given comes out in the end, once nobody pauses any more. */
ltl all_written { <> (written == ROWS) }

/* A paused output is given what its bounds allow. */
ltl bounds_used { <> (given == ROWS || in_hand >= BOUND) }

/* A paused output that spills is given everything. */
ltl all_given { <> (given == ROWS) }
