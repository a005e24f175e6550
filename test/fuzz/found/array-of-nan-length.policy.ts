import{allow,count,drop,expr,gre,limit,list,log,policy,reject}from"tidegate"
const p=[{a:1}.a],b=""
const e=list([""]),f=[""],s=expr`l`
const a=[""],g={p:0}
export default policy({u:[""],e:[(...x)=>(x)>5],l:{t:"",s:[count("",expr`i`),count(Array.from({length:NaN},()=>(x,)=>6),``)("",``)],l},s:{t:({e:"",y:1}),u:({m:[...4,[].c]})}})