"""Files as labs have them, made up: for each its name, and the animals and steps that `plastfit new config` and `check` should find
(cases). Arrays need numpy, h5py, scipy, and are left out without."""
import json
import os
import random
import sys

os.chdir(sys.argv[1])
random.seed(20)


def w(name, text, enc="utf-8"):
    with open(name, "w", encoding=enc, newline="") as f:
        f.write(text)


def two(animals, trials, p=(0.7, 0.3), k=2, names=None):
    out=[]
    for a in range(animals):
        q=[0.0]*k
        for t in range(trials):
            best=[random.random() + 2*q[j] for j in range(k)]
            c=best.index(max(best)); r=int(random.random() < (p[c] if c < len(p) else 0.2))
            q[c]+=0.3*(r-q[c]); out.append((names[a] if names else "a%d"%a, t, c, r))
    return out


cases = []


def case(file, animals, steps):
    cases.append("%s %d %d" % (file, animals, steps))


R=two(4,60)
w("l01.csv","rat,trial,choice,reward\n"+"".join("%s,%d,%d,%d\n"%(a,t,c+1,r) for a,t,c,r in R)); case("l01.csv",4,240)
w("l02.tsv","Subject\tSession\tTrialNum\tSide\tOutcome\n"+"".join("%s\t%d\t%d\t%s\t%s\n"%(a,t//30,t,["left","right"][c],["no","yes"][r]) for a,t,c,r in R)); case("l02.tsv",4,240)
w("l03.csv","mouse;block;trial;response;rewarded\r\n"+"".join("%s;%d;%d;%s;%s\r\n"%(a,t//20,t%20,["False","True"][c],["FALSE","TRUE"][r]) for a,t,c,r in R)); case("l03.csv",4,240)
w("l04.csv","id,action,feedback\n"+"".join("%s,%d,%s\n"%(a,2*c-1,["loss","win"][r]) for a,t,c,r in R)); case("l04.csv",4,240)
w("l05.csv","animal,trial,choice,reward\n"+"".join("%s,%d,%s,%s\n"%(a,t%30,"" if t%17==3 else c,"" if t%17==3 else r) for a,t,c,r in R)); case("l05.csv",4,240)  # trial restarts, no block
w("l06.csv","animal,choice,reward\n"+"".join("%s,%d,%d\n"%(a,-1 if t%13==0 else c,0 if t%13==0 else r) for a,t,c,r in R)); case("l06.csv",4,240)  # -1 missed
w("l07.csv","participant,trial,arm,points\n"+"".join("%s,%d,%d,%d\n"%(a,t,c+1,10*r) for a,t,c,r in two(3,80,(.2,.5,.8,.4),4))); case("l07.csv",3,240)
w("l08.csv","fly,odour,accepted,sugar\n"+"".join("%s,%s,%d,%s\n"%(a,random.choice("AB"),c,r if c else "") for a,t,c,r in R)); case("l08.csv",4,240)
w("l09.csv","".join("%d,%d\n"%(c,r) for a,t,c,r in two(1,120))); case("l09.csv",1,120)
for i,(a) in enumerate(("m1","m2","m3")):
    w("l10_%s.csv"%a,"choice,reward,rt\n"+"".join("%d,%d,%.3f\n"%(c,r,random.random()) for _,t,c,r in two(1,70)))
case("l10_*.csv",3,210)
w("l11_choices.csv","".join(",".join("%.18e"%c for _,t,c,r in two(1,50))+"\n" for _ in range(6))); w("l11_rewards.csv","".join(",".join(str(random.randrange(2)) for _ in range(50))+"\n" for _ in range(6))); case("l11_choices.csv",6,300)
w("l12.csv","frame,x1,roi1,roi2,roi3\n"+"".join("%d,%.3f,%.3f,%.3f,%.3f\n"%((t,)+tuple(random.gauss(0,1) for _ in range(4))) for t in range(150))); case("l12.csv",1,150)
w("l13.csv","\ufeffID,Trial,Object,Rewarded\r\n"+"".join("%s,%d,%s,%s\r\n"%(a,t,["blue","green"][c],["False","True"][r]) for a,t,c,r in R)+",,,\r\n"); case("l13.csv",4,240)
w("l14.csv","# rig 3\n# 2024\nTier;Wahl;Belohnung\n"+"".join("%s;%d;%s\n"%(a,c,str(r+.5).replace(".",",")) for a,t,c,r in R)); case("l14.csv",4,240)
w("l15.jsonl","".join(json.dumps({"subject":a,"trial":t,"choice":"LR"[c],"reward":r,"rt":round(random.random(),3)})+"\n" for a,t,c,r in R)); case("l15.jsonl",4,240)
w("l16.csv","Mouse ID,Session ID,Decision,Reward\n"+"".join("%s,s%d,%.1f,%.1f\n"%(a,t//20,c,r) for a,t,c,r in R)); case("l16.csv",4,240)
w("l17.csv","subject,date,choice,reward,stim_left,stim_right\n"+"".join("%s,2024-01-%02d,%d,%d,%.2f,%.2f\n"%(a,1+t//30,100*(c+1),r,random.random(),random.random()) for a,t,c,r in R)); case("l17.csv",4,240)
w("l18.csv","animal,trial,choice,reward,note\n"+"".join("%s,%d,%d,%d,%s\n"%(a,t,c,r,"caf\xe9") for a,t,c,r in R),"latin1")  # latin1: refused
try:
    import numpy as np
    C=np.array([[c for _,t,c,r in two(1,40)] for _ in range(5)]); P=np.array([[int(random.random()<.5) for _ in range(40)] for _ in range(5)])
    np.savez("l19.npz",choices=C+1,rewards=P); case("l19.npz",5,200)
    os.makedirs("l20",exist_ok=True); np.save("l20/F.npy",np.random.default_rng(1).normal(size=(4,200))); np.save("l20/Fneu.npy",np.random.default_rng(2).normal(size=(4,200))); np.save("l20/iscell.npy",np.ones((4,2))); case("l20",1,200)
    import h5py
    with h5py.File("l21.h5","w") as f:
        f["session/mouse"]=np.repeat([1,2],100); f["session/choice"]=np.array([c for _,t,c,r in two(2,100)]); f["session/reward"]=np.random.default_rng(3).integers(0,2,200); f["meta/version"]=3
    case("l21.h5",2,200)
except ImportError:
    pass
try:
    import numpy as np
    import scipy.io
    d=np.zeros(3,dtype=[("id",object),("choice",object),("reward",object)])
    for k in range(3):
        z=two(1,50); d[k]=("m%d"%k,np.array([c+1 for _,t,c,r in z]),np.array([r for _,t,c,r in z]))
    scipy.io.savemat("l22.mat",{"data":d}); case("l22.mat",3,150)
except ImportError:
    pass
w("cases", "\n".join(cases) + "\n")
