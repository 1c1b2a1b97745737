/* SPDX-License-Identifier: MIT */
/*
 * Guests, their devices and the backend that answers for them: what they do when told, and what
 * goes wrong. They keep the contract of event.h: cumulative amounts, exactly one final answer while
 * their VM lives, and an observation first in a new life.
 */

/* A balloon's word is what it holds less what it lied; the host sees what it holds. */
inline say(event_, command_, result_, amount_)
{
    to_engine[v]!event_, t_incarnation[v], command_, result_, amount_, t_held[v] - t_lied[v],
                 t_held[v]
}

#define SPACE(v) (ROOM - len(to_engine[v]))
#define ANSWER (v == R -> INCORPORATED : REMOVED)
#define WORKS (!t_dead[v] && t_command[v] != NONE)

inline forget()
{
    t_command[v] = NONE;
    t_goal[v] = 0;
    t_amount[v] = 0;
    t_said[v] = 0;
    t_lazy[v] = false
}

/* Its life ends: what it worked on is nothing any more, what waits for it is dropped. */
inline die()
{
    forget();
    do
    :: len(to_vm[v]) > 0 -> to_vm[v]?what, which, life, goal, much
    :: else -> break
    od;
    what = 0;
    which = 0;
    life = 0;
    goal = 0;
    much = 0;
    t_mute[v] = false;
    t_lied[v] = 0
}

/* What it has come to, bounded by what it was asked for. */
inline say_end(result_)
{
    say(ANSWER, t_command[v], result_, t_said[v]);
    forget()
}

inline resize(command_, target_, amount_)
{
    if
    :: t_command[v] != NONE -> say_end(SUPERSEDED)
    :: else
    fi;
    t_command[v] = command_;
    t_goal[v] = target_;
    t_amount[v] = amount_;
    t_may[v] = (v == R -> t_may[v] : target_);
    if
    :: v == R && t_held[v] >= target_ -> say_end(DONE)
    :: v != R && t_held[v] - t_lied[v] <= target_ -> say_end(DONE)
    :: else
    fi
}

inline obey()
{
    if
    :: life != t_incarnation[v] /* meant for a former life */
    :: life == t_incarnation[v] && (what == REQUEST || what == NOTIFY) ->
        resize(which, goal, much)
    :: life == t_incarnation[v] && what == REASSIGN ->
        t_may[v] = goal;
        say(REASSIGNED, which, DONE, 0)
    :: life == t_incarnation[v] && what == PIN ->
        t_may[v] = goal;
        say(PINNED, which, DONE, 0)
    :: life == t_incarnation[v] && what == CANCEL ->
        if
        :: t_command[v] == which -> say_end(CANCELLED)
        :: else
        fi
    fi
}

proctype vm(byte v)
{
    mtype:action what;
    byte which, life, goal, much;

end:
    do
    /* An order. */
    :: d_step {
        nempty(to_vm[v]) && (t_dead[v] || (!t_mute[v] && SPACE(v) >= 2)) ->
        to_vm[v]?what, which, life, goal, much;
        if
        :: !t_dead[v] -> obey()
        :: else
        fi;
        what = 0;
        which = 0;
        life = 0;
        goal = 0;
        much = 0
    }
    /* Work: one granule let go, or taken. */
    :: d_step {
        WORKS && !t_mute[v] && !t_lazy[v] && SPACE(v) >= 1 ->
        if
        :: v == R -> t_held[v]++
        :: else -> t_held[v]--
        fi;
        t_said[v] = MIN(t_said[v] + 1, t_amount[v]);
        if
        :: t_held[v] - t_lied[v] == t_goal[v] -> say_end(DONE)
        :: else -> say(ANSWER, t_command[v], PROGRESS, t_said[v])
        fi
    }
    /* It speaks again, late. */
    :: t_mute[v] && !t_dead[v] -> t_mute[v] = false

    /* What goes wrong. It says that it let go, and did not. */
    :: d_step {
        faults > 0 && WORKS && !t_mute[v] && v != R && SPACE(v) >= 1 ->
        faults--;
        printf("%d lies\n", v);
        t_lied[v]++;
        t_said[v] = MIN(t_said[v] + 1, t_amount[v]);
        if
        :: t_held[v] - t_lied[v] == t_goal[v] -> say_end(DONE)
        :: else -> say(ANSWER, t_command[v], PROGRESS, t_said[v])
        fi
    }
    /* It takes back. */
    :: d_step {
        faults > 0 && !t_dead[v] && !t_mute[v] && v != R && t_held[v] < BOOT(v) &&
            SPACE(v) >= 1 ->
        faults--;
        printf("%d takes back\n", v);
        t_held[v]++;
        t_unseen[v]++;
        if
        :: WORKS -> say(REMOVED, t_command[v], NEWS, t_said[v])
        :: else -> say(OBSERVED, NONE, NEWS, t_may[v])
        fi
    }
    /* It does not work on this. */
    :: d_step {
        faults > 0 && WORKS && !t_mute[v] && !t_lazy[v] ->
        faults--;
        printf("%d is lazy\n", v);
        t_lazy[v] = true
    }
    /* It can do no more of this. */
    :: d_step {
        faults > 0 && WORKS && !t_mute[v] && SPACE(v) >= 1 ->
        faults--;
        printf("%d gives up\n", v);
        say_end(PARTIAL)
    }
    /* It falls silent. */
    :: d_step {
        faults > 0 && !t_dead[v] && !t_mute[v] ->
        faults--;
        printf("%d falls silent\n", v);
        t_mute[v] = true
    }
    /* It vanishes: no command is answered any more. */
    :: d_step {
        faults > 0 && !t_dead[v] && SPACE(v) >= 1 ->
        faults--;
        printf("%d vanishes\n", v);
        die();
        t_dead[v] = true;
        t_held[v] = 0;
        t_may[v] = 0;
        t_unseen[v] = 0;
        say(GONE, NONE, PROGRESS, 0)
    }
    /* It reboots; that its former life is gone may be said again, later. */
    :: atomic {
        faults > 0 && !t_dead[v] && SPACE(v) >= 2 ->
        d_step {
            faults--;
            printf("%d reboots\n", v);
            die();
            t_held[v] = BOOT(v);
            t_may[v] = BOOT(v);
            t_unseen[v] = 1
        };
        if
        :: echoes > 0 ->
            d_step {
                echoes--;
                echoing = true;
                echo = GONE;
                echo_vm = v;
                echo_incarnation = t_incarnation[v]
            }
        :: true
        fi;
        d_step {
            t_incarnation[v]++;
            say(OBSERVED, NONE, NEWS, BOOT(v));
            say(LIVE, NONE, PROGRESS, 0)
        }
    }
    od
}
